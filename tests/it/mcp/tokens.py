"""An authorization server's keys and tokens, made by PyJWT. Reads a list of tokens to make, `{"name", "key", "alg", "typ"?, "kid"?, "claims"}`, from
standard input, writes the keys that its resources may know to `jwks.json`, and prints the tokens by their names."""
import base64, hashlib, hmac, json, sys, time
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

keys = {
    "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ec": ec.generate_private_key(ec.SECP256R1()),
    "ed": ed25519.Ed25519PrivateKey.generate(),
    "stranger": ec.generate_private_key(ec.SECP256R1()),
    "small": rsa.generate_private_key(public_exponent=65537, key_size=1024),
}
kinds = {"rsa": RSAAlgorithm, "ec": ECAlgorithm, "ed": OKPAlgorithm, "small": RSAAlgorithm}
published = [
    {**json.loads(kind.to_jwk(keys[name].public_key())), "kid": name, "use": "sig"} for name, kind in kinds.items()
]
# A key for something else, and one of a kind that nobody here knows.
published.append({**published[1], "kid": "enc", "use": "enc"})
published.append({"kty": "AKP", "alg": "ML-DSA-44", "kid": "pq", "pub": "AA"})
json.dump({"keys": published}, open("jwks.json", "w"))

def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

def by_hand(header, claims, sign):
    message = b64(json.dumps(header).encode()) + "." + b64(json.dumps(claims).encode())
    return message + "." + b64(sign(message.encode()))

def token(asked):
    now = int(time.time())
    claims = {"iss": "https://login.example", "aud": "https://gate.example/mcp", "sub": "ann", "client_id": "desk",
              "scope": "call read", "iat": now, "exp": now + 600}
    for name, value in asked.get("claims", {}).items():
        if value is None:
            claims.pop(name)
        else:
            claims[name] = now + value["now"] if isinstance(value, dict) else value
    kid = asked.get("kid", asked["key"])
    header = {"kid": kid, **asked.get("header", {})}
    header = {name: value for name, value in header.items() if value is not None}
    if asked["alg"] == "none":
        return by_hand({**header, "alg": "none"}, claims, lambda _: b"")
    if asked["alg"] == "HS256":
        # The public key as a secret that everybody knows.
        known = keys[asked["key"]].public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        return by_hand({**header, "alg": "HS256"}, claims, lambda message: hmac.digest(known, message, hashlib.sha256))
    return jwt.encode(claims, keys[asked["key"]], algorithm=asked["alg"], headers=header)

print(json.dumps({asked["name"]: token(asked) for asked in json.load(sys.stdin)}))
