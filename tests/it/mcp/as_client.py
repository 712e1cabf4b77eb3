"""The gateway as the client of a server of the conformance suite: it starts the gateway before the server at the address that is its last argument, in
the folder that is its first, and makes the calls of the scenario through it with the real client, which answers what it is asked."""
import asyncio, json, os, subprocess, sys
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitResult

folder, url = sys.argv[1], sys.argv[-1]
text = open(f"{folder}/head.toml").read()
config = f"{folder}/{os.environ['MCP_CONFORMANCE_SCENARIO'].replace('/', '-')}.toml"
open(config, "w").write(f'{text}[servers.f]\nurl = "{url}"\n')
gate = subprocess.Popen([os.environ["GAIT"], "mcp", "serve", "--json", "--config", config], cwd=folder, stdout=subprocess.PIPE, text=True)
said = ""
for line in gate.stdout:
    said += line
    if line.rstrip() == "}":
        break

async def elicited(context, params):
    return ElicitResult(action="accept", content={})

async def quietly(what):
    try:
        return await what
    except MCPError as error:
        print(error, file=sys.stderr)

async def main():
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    async with Client(json.loads(said)["listening"], mode="legacy", elicitation_callback=elicited) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        calls = context.get("toolCalls") or [{"name": name, "arguments": {"a": 1, "b": 2} if name == "add_numbers" else {}} for name in tools]
        for call in calls:
            print(call["name"], await quietly(client.call_tool(call["name"], call["arguments"])), file=sys.stderr)
        for resource in (await quietly(client.list_resources()) or type("", (), {"resources": []})).resources:
            await quietly(client.read_resource(resource.uri))
        for prompt in (await quietly(client.list_prompts()) or type("", (), {"prompts": []})).prompts:
            await quietly(client.get_prompt(prompt.name))

try:
    asyncio.run(main())
finally:
    gate.terminate()
    gate.wait()
