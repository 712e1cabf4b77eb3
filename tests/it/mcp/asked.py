"""A real MCP client at an address that can be asked: it makes the calls of its standard input, a JSON list, and writes for each what it was told
and asked before the result, and the result. People enter `Ann` for whatever a form asks, and the model says `Rome`."""
import asyncio, json, sys
from mcp import Client
from mcp_types import CreateMessageResult, ElicitResult, TextContent

before = []

async def elicited(context, params):
    before.append(["asked", params.message])
    return ElicitResult(action="accept", content={"name": "Ann"})

async def sampled(context, params):
    before.append(["sampled", params.messages[0].content.text])
    return CreateMessageResult(role="assistant", model="m", content=TextContent(type="text", text="Rome"))

async def progressed(progress, total, message):
    before.append(["progress", progress, total])

async def main():
    async with Client(sys.argv[1], mode=sys.argv[2], elicitation_callback=elicited, sampling_callback=sampled) as client:
        out = []
        for name, arguments in json.load(sys.stdin):
            before.clear()
            result = await client.call_tool(name, arguments, progress_callback=progressed)
            text = "\n".join(getattr(part, "text", "") for part in result.content)
            out.append({"before": list(before), "failed": bool(result.is_error), "text": text})
        print(json.dumps(out))

asyncio.run(main())
