"""A real MCP client that asks for what is no tool: it asks the server that its arguments start, or that is at an address, for what its standard
input says, a JSON list of requests (method of the client, arguments)."""
import asyncio, json, sys
from mcp import Client, ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference, ResourceTemplateReference

def reference(name):
    return ResourceTemplateReference(type="ref/resource", uri=name) if "://" in name else PromptReference(type="ref/prompt", name=name)

async def one(session, method, *arguments):
    if method == "complete":
        arguments = (reference(arguments[0]), *arguments[1:])
    try:
        result = await getattr(session, method)(*arguments)
    except MCPError as error:
        return {"error": error.error.code, "message": error.error.message, "data": error.error.data}
    found = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    # What a revision says of results, beside what they are.
    return {name: value for name, value in found.items() if name not in ["ttlMs", "cacheScope", "resultType", "_meta"]}

async def ask(session, offers):
    out = {"offers": offers.model_dump(mode="json", by_alias=True, exclude_none=True), "results": []}
    for request in json.load(sys.stdin):
        out["results"].append(await one(session, *request))
    print(json.dumps(out))

async def main():
    if sys.argv[1].startswith("http"):
        async with Client(sys.argv[1], mode=sys.argv[2]) as client:
            return await ask(client, client.server_capabilities)
    params = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:])
    async with stdio_client(params) as (reader, writer):
        async with ClientSession(reader, writer) as session:
            hello = await session.initialize()
            await ask(session, hello.capabilities)

asyncio.run(main())
