"""A server with the names that the conformance suite of the protocol asks for (`@modelcontextprotocol/conformance`), over HTTP and in both
revisions, or with `old` in those with sessions alone, built with the Python SDK. It prints its port."""
import asyncio, base64, hashlib, hmac, socket, sys
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, PromptsListChanged, ResourceUpdated, ToolsListChanged
from mcp.shared.exceptions import MCPError
import mcp_types as types

PNG = base64.b64encode(bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)).decode()
WAV = base64.b64encode(b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0@\x1f\0\0@\x1f\0\0\x01\0\x08\0data\0\0\0\0").decode()
SECRET = b"of this server alone"

def text(words):
    return {"type": "text", "text": words}

def embedded(uri, words="words of a resource"):
    return {"type": "resource", "resource": {"uri": uri, "mimeType": "text/plain", "text": words}}

def said(*content):
    return {"content": list(content)}

def schema(properties={}, required=()):
    return {"type": "object", "properties": properties, "required": list(required)}

def form(message, properties, required=()):
    return {"method": "elicitation/create", "params": {"mode": "form", "message": message, "requestedSchema": schema(properties, required)}}

def sample(words, most=100):
    messages = [{"role": "user", "content": text(words)}]
    return {"method": "sampling/createMessage", "params": {"messages": messages, "maxTokens": most}}

ROOTS = {"method": "roots/list", "params": {}}
NAME = form("What is your name?", {"name": {"type": "string"}}, ["name"])

def sealed(state):
    return state + "." + hmac.new(SECRET, state.encode(), hashlib.sha256).hexdigest()

def opened(state):
    plain = (state or "").rpartition(".")[0]
    if state is None or not hmac.compare_digest(sealed(plain), state):
        raise MCPError(-32602, "the state is none of this server")
    return plain

class Wants(Exception):
    """What a client has to answer first."""
    def __init__(self, requests, state=None):
        self.result = {"resultType": "input_required", "inputRequests": requests}
        if state is not None:
            self.result["requestState"] = sealed(state)

async def asked(ctx, params, requests, state=None):
    """What the client says to requests: sent to it where there are sessions, and otherwise asked for as the result."""
    if ctx.protocol_version < "2026-07-28":
        if "m" in requests:
            one = requests["m"]["params"]
            message = types.SamplingMessage.model_validate(one["messages"][0])
            answer = await ctx.session.create_message(messages=[message], max_tokens=100, related_request_id=ctx.request_id)
        else:
            one = requests["e"]["params"]
            answer = await ctx.session.elicit_form(one["message"], one["requestedSchema"], related_request_id=ctx.request_id)
        return {next(iter(requests)): answer.model_dump(mode="json", by_alias=True, exclude_none=True)}
    answers = params.input_responses or {}
    if any(name not in answers for name in requests):
        raise Wants(requests, state)
    plain = lambda one: one if isinstance(one, dict) else one.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {name: plain(answers[name]) for name in requests}

async def logs(ctx, params):
    for words in ["Tool execution started", "Tool processing data", "Tool execution completed"]:
        await ctx.session.send_log_message(level="info", data=words, related_request_id=ctx.request_id)
        await asyncio.sleep(0.05)
    return said(text("it has logged"))

async def progresses(ctx, params):
    for done in [0, 50, 100]:
        await ctx.session.report_progress(done, 100, f"step {done}")
        await asyncio.sleep(0.05)
    return said(text("it is done"))

async def samples(ctx, params):
    answer = await asked(ctx, params, {"m": sample(params.arguments["prompt"])})
    return said(text("LLM response: " + answer["m"]["content"]["text"]))

def elicits(message, properties, required=()):
    async def run(ctx, params):
        words = (params.arguments or {}).get("message", message)
        answer = (await asked(ctx, params, {"e": form(words, properties, required)}))["e"]
        return said(text(f"Elicitation completed: action={answer['action']}, content={answer.get('content')}"))
    return run

def enum(values, titles=None):
    return {"oneOf": [{"const": value, "title": title} for value, title in zip(values, titles)], "type": "string"} if titles else {"type": "string", "enum": values}

DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
VALUES, TITLES = ["value1", "value2", "value3"], ["First Option", "Second Option", "Third Option"]
ENUMS = {
    "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
    "titledSingle": enum(VALUES, TITLES),
    "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["Option One", "Option Two", "Option Three"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["option1", "option2", "option3"]}},
    "titledMulti": {"type": "array", "items": {"anyOf": [{"const": value, "title": title} for value, title in zip(VALUES, TITLES)]}},
}

def wants(requests, answered, state=None):
    async def run(ctx, params):
        if state and params.request_state is not None:
            opened(params.request_state)
        return said(text(answered(await asked(ctx, params, requests, state))))
    return run

async def rounds(ctx, params):
    first = {"step1": form("Step 1: What is your name?", {"name": {"type": "string"}}, ["name"])}
    second = {"step2": form("Step 2: What is your favorite color?", {"color": {"type": "string"}}, ["color"])}
    if params.request_state is None:
        raise Wants(first, "first")
    if opened(params.request_state) == "first":
        raise Wants(second, "second")
    return said(text("all rounds are over"))

async def capable(ctx, params):
    can = ctx.session.client_capabilities
    requests = {}
    if can and can.sampling is not None:
        requests["m"] = sample("What is the capital of France?")
    if can and can.elicitation is not None:
        requests["e"] = NAME
    if requests and not params.input_responses:
        raise Wants(requests)
    return said(text("nothing is wanted"))

async def missing(ctx, params):
    can = ctx.session.client_capabilities
    if not can or can.sampling is None:
        raise MCPError(-32021, "the client has no sampling", {"requiredCapabilities": {"sampling": {}}})
    return said(text("the client has sampling"))

async def streams(ctx, params):
    await ctx.session.send_log_message(level="info", data="a word", related_request_id=ctx.request_id)
    raise Wants({"e": NAME})

def plain(*content, failed=False):
    async def run(ctx, params):
        return {"content": list(content), "isError": True} if failed else said(*content)
    return run

bus = InMemorySubscriptionBus()

def changes(method):
    async def run(ctx, params):
        await bus.publish({"tools": ToolsListChanged(), "prompts": PromptsListChanged(), "resource": ResourceUpdated(uri="test://watched-resource")}[method])
        return said(text("changed"))
    return run

RICH = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}},
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
REGION = {"region": {"type": "string", "x-mcp-header": "Region"}, "query": {"type": "string"}}

first_words = lambda answers: "Hello, " + str(next(iter(answers.values())).get("content", {}).get("name")) + "!"
everything = {"user_name": NAME, "greeting": sample("Generate a greeting", 50), "client_roots": ROOTS}
ok = {"confirm": form("Please confirm", {"ok": {"type": "boolean"}}, ["ok"])}
image = {"type": "image", "data": PNG, "mimeType": "image/png"}
TOOLS = {
    "test_simple_text": (plain(text("This is a simple text response for testing.")), schema()),
    "test_image_content": (plain(image), schema()),
    "test_audio_content": (plain({"type": "audio", "data": WAV, "mimeType": "audio/wav"}), schema()),
    "test_embedded_resource": (plain(embedded("test://embedded-resource")), schema()),
    "test_multiple_content_types": (plain(text("several"), image, embedded("test://mixed-content-resource")), schema()),
    "test_tool_with_logging": (logs, schema()),
    "test_logging_tool": (logs, schema()),
    "test_tool_with_progress": (progresses, schema()),
    "test_error_handling": (plain(text("This tool intentionally returns an error for testing"), failed=True), schema()),
    "test_sampling": (samples, schema({"prompt": {"type": "string"}}, ["prompt"])),
    "test_elicitation": (elicits("", {"response": {"type": "string"}}, ["response"]), schema({"message": {"type": "string"}}, ["message"])),
    "test_elicitation_sep1034_defaults": (elicits("Please review", DEFAULTS), schema()),
    "test_elicitation_sep1330_enums": (elicits("Please choose", ENUMS), schema()),
    "test_input_required_result_elicitation": (wants({"user_name": NAME}, first_words), schema()),
    "test_input_required_result_sampling": (wants({"capital_question": sample("What is the capital of France?")},
        lambda answers: answers["capital_question"]["content"]["text"]), schema()),
    "test_input_required_result_list_roots": (wants({"client_roots": ROOTS}, lambda answers: str(answers["client_roots"]["roots"])), schema()),
    "test_input_required_result_request_state": (wants(ok, lambda _: "state-ok", "confirm"), schema()),
    "test_input_required_result_multiple_inputs": (wants(everything, lambda _: "all are answered", "several"), schema()),
    "test_input_required_result_multi_round": (rounds, schema()),
    "test_input_required_result_tampered_state": (wants(ok, lambda _: "state-ok", "sealed"), schema()),
    "test_input_required_result_capabilities": (capable, schema()),
    "test_missing_capability": (missing, schema()),
    "test_streaming_elicitation": (streams, schema()),
    "json_schema_2020_12_tool": (plain(text("it takes much")), RICH),
    "test_custom_headers": (plain(text("it has a header")), schema(REGION, ["region"])),
    "test_trigger_tool_change": (changes("tools"), schema()),
    "trigger_resource_change": (changes("resource"), schema()),
    "test_trigger_prompt_change": (changes("prompts"), schema()),
}

async def list_tools(ctx, params):
    return {"tools": [{"name": name, "description": f"the tool {name}", "inputSchema": takes} for name, (_, takes) in TOOLS.items()]}

async def call_tool(ctx, params):
    if params.name not in TOOLS:
        raise MCPError(-32602, f"there is no tool {params.name}")
    try:
        return await TOOLS[params.name][0](ctx, params)
    except Wants as wants:
        return wants.result

async def list_resources(ctx, params):
    one = lambda name, kind: {"uri": f"test://{name}", "name": name, "description": f"the resource {name}", "mimeType": kind}
    return {"resources": [one("static-text", "text/plain"), one("static-binary", "image/png"), one("watched-resource", "text/plain")]}

async def list_templates(ctx, params):
    return {"resourceTemplates": [{"uriTemplate": "test://template/{id}/data", "name": "template", "description": "of an id", "mimeType": "application/json"}]}

async def read_resource(ctx, params):
    uri = str(params.uri)
    words = {"test://static-text": "This is the content of the static text resource.", "test://watched-resource": "watched"}
    if uri in words:
        return {"contents": [{"uri": uri, "mimeType": "text/plain", "text": words[uri]}]}
    if uri == "test://static-binary":
        return {"contents": [{"uri": uri, "mimeType": "image/png", "blob": PNG}]}
    if uri.startswith("test://template/") and uri.endswith("/data"):
        number = uri.split("/")[3]
        return {"contents": [{"uri": uri, "mimeType": "application/json", "text": '{"id":"%s","templateTest":true,"data":"Data for ID: %s"}' % (number, number)}]}
    raise MCPError(-32602 if ctx.protocol_version >= "2026-07-28" else -32002, "there is no such resource", {"uri": uri})

PROMPTS = {
    "test_simple_prompt": [],
    "test_prompt_with_arguments": ["arg1", "arg2"],
    "test_prompt_with_embedded_resource": ["resourceUri"],
    "test_prompt_with_image": [],
    "test_input_required_result_prompt": [],
}

async def list_prompts(ctx, params):
    argument = lambda name: {"name": name, "description": f"the argument {name}", "required": True}
    return {"prompts": [{"name": name, "description": f"the prompt {name}", "arguments": [argument(one) for one in takes]} for name, takes in PROMPTS.items()]}

async def get_prompt(ctx, params):
    given = params.arguments or {}
    user = lambda *content: {"messages": [{"role": "user", "content": one} for one in content]}
    if params.name == "test_simple_prompt":
        return user(text("This is a simple prompt for testing."))
    if params.name == "test_prompt_with_arguments":
        return user(text(f"Prompt with arguments: arg1='{given.get('arg1')}', arg2='{given.get('arg2')}'"))
    if params.name == "test_prompt_with_embedded_resource":
        return user(embedded(given.get("resourceUri", "test://x")), text("Please process the embedded resource above."))
    if params.name == "test_prompt_with_image":
        return user(image, text("Please analyze the image above."))
    if params.name == "test_input_required_result_prompt":
        try:
            context = form("What context should the prompt use?", {"context": {"type": "string"}}, ["context"])
            answers = await asked(ctx, params, {"user_context": context})
            return user(text(f"with the context {answers['user_context'].get('content')}"))
        except Wants as wants:
            return wants.result
    raise MCPError(-32602, f"there is no prompt {params.name}")

async def complete(ctx, params):
    return {"completion": {"values": [], "total": 0, "hasMore": False}}

async def nothing(ctx, params):
    return {}

def typed(name, handler):
    async def run(ctx, params):
        result = await handler(ctx, params)
        kind = types.InputRequiredResult if result.get("resultType") == "input_required" else getattr(types, name)
        return kind.model_validate(result)
    return run

server = Server(
    "fixture",
    version="1",
    on_list_tools=typed("ListToolsResult", list_tools),
    on_call_tool=typed("CallToolResult", call_tool),
    on_list_resources=typed("ListResourcesResult", list_resources),
    on_list_resource_templates=typed("ListResourceTemplatesResult", list_templates),
    on_read_resource=typed("ReadResourceResult", read_resource),
    on_subscribe_resource=typed("EmptyResult", nothing),
    on_unsubscribe_resource=typed("EmptyResult", nothing),
    on_subscriptions_listen=ListenHandler(bus),
    on_list_prompts=typed("ListPromptsResult", list_prompts),
    on_get_prompt=typed("GetPromptResult", get_prompt),
    on_completion=typed("CompleteResult", complete),
    on_set_logging_level=typed("EmptyResult", nothing),
)

listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
app = server.streamable_http_app()

async def old(scope, receive, send):
    """The same where nobody knows of 2026-07-28."""
    if (b"mcp-protocol-version", b"2026-07-28") in scope.get("headers", []):
        await send({"type": "http.response.start", "status": 400, "headers": [(b"content-length", b"0")]})
        return await send({"type": "http.response.body"})
    await app(scope, receive, send)

config = uvicorn.Config(old if "old" in sys.argv else app, log_level="critical", lifespan="on")
asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))
