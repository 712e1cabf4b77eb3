"""A real MCP client: asks the server that its arguments start, or that is at an address, for what its standard input says, a JSON list
of calls. Where `APPROVE` is set, it shows people the addresses it is given: it reads the page, and where `APPROVE` is not empty, runs
the command that stands on it with these more words (a JSON list, the program first). Then it says that people have accepted."""
import asyncio, json, os, re, subprocess, sys, urllib.request
from mcp import Client, ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitResult

pages = []

def look(url):
    with urllib.request.urlopen(url) as page:
        pages.append(page.read().decode())
    words = json.loads(os.environ["APPROVE"])
    if words:
        trace = re.search(r"gait approve (.+) --key", pages[-1]).group(1).split()
        subprocess.run([words[0], "approve", *trace, *words[1:]], check=True, stdout=subprocess.DEVNULL)

async def elicited(context, params):
    look(params.url)
    return ElicitResult(action="accept")

async def call(session, name, arguments):
    try:
        return await session.call_tool(name, arguments)
    except MCPError as error:
        if error.error.code != -32042:
            raise
        for one in error.error.data["elicitations"]:
            look(one["url"])
        return await session.call_tool(name, arguments)

async def ask(session):
    calls = json.load(sys.stdin)
    listed = await session.list_tools()
    out = {"tools": [tool.name for tool in listed.tools], "results": [], "pages": pages}
    for name, arguments in calls:
        result = await call(session, name, arguments)
        failed = getattr(result, "isError", None)
        if failed is None:
            failed = getattr(result, "is_error", None)
        text = "\n".join(getattr(part, "text", "") for part in result.content)
        out["results"].append({"failed": bool(failed), "text": text})
    print(json.dumps(out))

async def main():
    if sys.argv[1].startswith("http"):
        more = {"elicitation_callback": elicited} if "APPROVE" in os.environ else {}
        async with Client(sys.argv[1], mode=sys.argv[2], **more) as client:
            return await ask(client)
    params = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:])
    async with stdio_client(params) as (reader, writer):
        async with ClientSession(reader, writer) as session:
            await session.initialize()
            await ask(session)

asyncio.run(main())
