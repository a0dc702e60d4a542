"""The process that serves the local model by llama.cpp's server, on this machine only: python -m app.llm.local_server PORT.

The model is small and follows examples, not instructions, so a chat is put to it as a text to go on with: the system prompt,
then "Input: ... Output:". Its answers are single lines, because after a line it would make up the next input. One thread and
one slot: then equal requests get equal answers, and the machine stays usable.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from app.llm.local import ALIAS, model_file

CONTEXT = 4096
"""Tokens of prompt and answer together."""
TEMPLATE = """\
{%- for message in messages -%}
{%- if message.role == "system" -%}{{ message.content | trim }}{{ "\\n\\n" }}
{%- elif message.role == "user" -%}Input: {{ message.content | trim }}{{ "\\nOutput:" }}
{%- else -%}{{ " " }}{{ message.content | trim }}{{ "\\n\\n" }}
{%- endif -%}
{%- endfor -%}"""


def main(port: int) -> None:
    """Serve until the process is told to end."""
    os.environ["OMP_WAIT_POLICY"] = "passive"  # an idle thread must not spin; read when the library is loaded
    import xllamacpp

    server = xllamacpp.Server(_params(xllamacpp.CommonParams(), port))
    print(f"serving on {server.listening_address}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    os._exit(0)  # its threads would be waited for


def _params(params: Any, port: int) -> Any:
    params.model.path = str(model_file())
    params.model_alias = [ALIAS]
    params.hostnames, params.port = ["127.0.0.1"], port
    params.n_ctx, params.n_parallel = CONTEXT, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.cache_ram_mib = 0  # a prompt that comes back from the host's cache is answered otherwise at times
    params.use_jinja, params.chat_template = True, TEMPLATE
    params.antiprompt = ["\n"]
    params.cors_origins = f"http://127.0.0.1:{port}"  # no web page is to talk to it
    params.ui = params.endpoint_props = params.endpoint_slots = False
    params.verbosity = 1
    return params


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main(int(sys.argv[1]))
