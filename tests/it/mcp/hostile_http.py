"""A server over HTTP that cannot be trusted. It prints its port, writes each request's headers and method to `asked.jsonl`, the names of calls to
`calls.txt`, and does what its arguments say."""
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

does = set(sys.argv[1:])
sessions = []

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def say(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        with open("asked.jsonl", "a") as asked:
            asked.write(json.dumps({"path": self.path, "method": "GET"}) + "\n")
        self.say(405)

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        method = message["method"]
        with open("asked.jsonl", "a") as asked:
            asked.write(json.dumps({"path": self.path, "method": method, "headers": dict(self.headers)}) + "\n")
        if "id" not in message:
            return self.say(202)
        if method == "initialize":
            sessions.append(f"s{len(sessions)}")
            result = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "x", "version": "1"}}
            return self.answer(message, result, Mcp_Session_Id=sessions[-1])
        if self.headers.get("Mcp-Session-Id") != sessions[-1]:
            return self.say(404)
        if method == "tools/list":
            return self.answer(message, {"tools": json.load(open("tools.json"))})
        with open("calls.txt", "a") as calls:
            calls.write(message["params"]["name"] + "\n")
        if "redirects" in does:
            return self.say(307, Location=f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        if "forgets" in does:
            sessions.append("another")
            return self.say(404)
        if "breaks" in does:
            return self.say(500, b"no")
        if "other" in does:
            message["id"] += 1
        if "huge" in does:
            return self.say(200, b"x" * (5 << 20), Content_Type="application/json")
        self.answer(message, {"content": [{"type": "text", "text": "done"}]})

    def answer(self, message, result, **headers):
        text = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result})
        if "streams" not in does:
            return self.say(200, text.encode(), Content_Type="application/json", **headers)
        # A stream that does not end.
        self.send_response(200)
        for name, value in {"Content-Type": "text/event-stream", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        note = json.dumps({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}})
        for event in [f": hello\n\ndata: {note}\n\n", f"event: message\nid: 7\ndata: {text}\n\n"]:
            self.wfile.write(f"{len(event):x}\r\n{event}\r\n".encode())
            self.wfile.flush()

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
