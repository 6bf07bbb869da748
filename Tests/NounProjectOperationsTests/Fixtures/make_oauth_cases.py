"""Writes oauth_cases.json: random requests with the base string and the signature that oauthlib 4.0.1 gives them.

usage: make_oauth_cases.py > oauth_cases.json
"""

import json
import random

from oauthlib.oauth1.rfc5849 import signature

ALPHABET = "abcXYZ019-._~!'()*%&=+/?#[]@:;,$\"\\<>|{}^` \t\n\u00e9\u00df\u4e2d\u05d0\u0000\U0001f600\u0301"


def text(chance, longest):
    return "".join(chance.choice(ALPHABET) for _ in range(chance.randint(0, longest)))


def case(chance):
    url = "https://api.example.com/v2/icon/" + str(chance.randint(1, 10**9))
    parameters = [[text(chance, 6), text(chance, 12)] for _ in range(chance.randint(0, 6))]
    # Names that come twice, and values that differ in what is encoded only.
    parameters += [list(chance.choice(parameters)) for _ in parameters if chance.random() < 0.3]
    client, token = text(chance, 20), chance.choice(["", text(chance, 20)])
    base = signature.signature_base_string(
        "GET", signature.base_string_uri(url), signature.normalize_parameters(parameters)
    )
    signed = signature.sign_hmac_sha1(base, client, token)
    return {
        "url": url, "parameters": parameters, "client_secret": client, "token_secret": token,
        "base_string": base, "signature": signed,
    }


chance = random.Random(5849)
print(json.dumps([case(chance) for _ in range(100)], indent=0))
