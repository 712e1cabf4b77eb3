"""A real MCP client: asks the server that its arguments start, or that is at an address, for what its standard input says, a JSON list
of calls."""
import asyncio, json, sys
from mcp import Client, ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

async def ask(session):
    calls = json.load(sys.stdin)
    listed = await session.list_tools()
    out = {"tools": [tool.name for tool in listed.tools], "results": []}
    for name, arguments in calls:
        result = await session.call_tool(name, arguments)
        failed = getattr(result, "isError", None)
        if failed is None:
            failed = getattr(result, "is_error", None)
        text = "\n".join(getattr(part, "text", "") for part in result.content)
        out["results"].append({"failed": bool(failed), "text": text})
    print(json.dumps(out))

async def main():
    if sys.argv[1].startswith("http"):
        async with Client(sys.argv[1], mode=sys.argv[2]) as client:
            return await ask(client)
    params = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:])
    async with stdio_client(params) as (reader, writer):
        async with ClientSession(reader, writer) as session:
            await session.initialize()
            await ask(session)

asyncio.run(main())
