"""A mail server (aiosmtpd) that tells what it got, one JSON object a line, after the port on which it listens."""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

plan = json.loads(sys.argv[1])


class Handler:
    def __init__(self):
        self.met = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in plan["refused"]:
            return "550 5.1.1 no such mailbox"
        if address in plan["grey"] and address not in self.met:
            self.met.add(address)
            print(json.dumps({"put_off": address}), flush=True)
            return "451 4.7.1 greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        got = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "encrypted": server.transport.get_extra_info("ssl_object") is not None,
            "user": session.auth_data,
            "ehlo": session.host_name,
            "text": envelope.content.decode("ascii"),
        }
        print(json.dumps(got), flush=True)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    right = (data.login.decode(), data.password.decode()) == (plan["user"], plan["password"])
    return AuthResult(success=right, auth_data=data.login.decode())


async def main():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(plan["certificate"], plan["key"])
    handler = Handler()
    implicit = plan["implicit"]

    def server():
        return SMTP(
            handler,
            hostname="mail.example.org",
            tls_context=None if implicit else context,
            require_starttls=not implicit,
            authenticator=authenticate,
            auth_required=plan["user"] is not None,
            auth_require_tls=not implicit,
        )

    loop = asyncio.get_running_loop()
    listening = await loop.create_server(server, "127.0.0.1", plan["port"], ssl=context if implicit else None)
    print(json.dumps({"port": listening.sockets[0].getsockname()[1]}), flush=True)
    await listening.serve_forever()


asyncio.run(main())
