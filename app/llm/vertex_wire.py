"""Between the port and Vertex AI's generateContent: the request, the answer, and what its errors mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from app.llm.answers import Answer, adjustment
from app.llm.failures import error_of, lower, read_refusal, scrub
from app.llm.pictures import NOTHING, Loaded
from app.llm.sse import broken
from app.ports.llm import (
    CallError,
    ContentFiltered,
    Json,
    Listener,
    Message,
    Rejected,
    Request,
    ServerFault,
    TimedOut,
    Unauthorized,
    Unreachable,
    Usage,
)

_SAME_NAME = (
    *("temperature", "top_p", "top_k", "max_output_tokens", "seed"),
    *("presence_penalty", "frequency_penalty", "stop_sequences"),
)
_THINKING_TOKENS = {"minimal": 512, "low": 1024, "medium": 8192, "high": 24576}
"""What Gemini 2.5 is given, which takes a number; Gemini 3 takes the word."""

_HARMS = (
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
)

_STOPPED = frozenset(
    {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "IMAGE_SAFETY", "LANGUAGE"}
)


def request_of(request: Request, model: str, loaded: Loaded = NOTHING) -> tuple[Any, list[Json]]:
    """The client's request, and the adjustments that were made. model: resource name. loaded: the content of its images.

    Raises: Rejected for a setting or schema that cannot be put into it.
    """
    from google.cloud import aiplatform_v1 as api

    try:
        config, adjustments = _config(request, model)
    except (TypeError, ValueError, AttributeError) as error:
        raise Rejected(f"a setting or the schema is not what Vertex AI takes: {scrub(str(error))}") from None
    system = "\n\n".join(m.content for m in request.messages if m.role == "system")
    contents = [
        api.Content(role="model" if m.role == "assistant" else "user", parts=_parts(m, loaded))
        for m in request.messages
        if m.role != "system"
    ]
    sent = api.GenerateContentRequest(model=model, contents=contents, generation_config=config)
    if threshold := request.model.params.get("safety_threshold"):
        try:
            sent.safety_settings = _safety(str(threshold))
        except AttributeError:
            raise Rejected(f"safety_threshold {scrub(str(threshold))[:40]!r} is none of Vertex AI's") from None
    if system:
        sent.system_instruction = api.Content(parts=[api.Part(text=system)])
    return sent, adjustments


def _parts(message: Message, loaded: Loaded) -> list[Any]:
    from google.cloud import aiplatform_v1 as api

    shown = [
        api.Part(inline_data=api.Blob(mime_type=one.media_type, data=loaded[one.digest])) for one in message.images
    ]
    return [*shown, api.Part(text=message.content)] if message.content or not shown else shown


def _config(request: Request, model: str) -> tuple[Any, list[Json]]:
    from google.cloud import aiplatform_v1 as api

    values: dict[str, Any] = {}
    adjustments: list[Json] = []
    for name, value in request.model.params.items():
        if value is None:
            continue
        if name in _SAME_NAME:
            values[name] = value
        elif name == "stop":
            values["stop_sequences"] = [value] if isinstance(value, str) else value
        elif name == "reasoning_effort" and value in _THINKING_TOKENS:
            values["thinking_config"] = _thinking(str(value), model)
        elif name == "safety_threshold":
            continue  # it stands beside the settings, see _safety
        elif name == "thinking_budget":
            values["thinking_config"] = api.GenerationConfig.ThinkingConfig(thinking_budget=value)
        else:
            adjustments.append(adjustment(name, value, None, "drop", "Vertex AI has no such setting"))
    if request.response_schema is not None:
        values["response_mime_type"] = "application/json"
        values["response_schema"] = schema_of(request.response_schema)
    return api.GenerationConfig(**values), adjustments


def _safety(threshold: str) -> list[Any]:
    """The same threshold for every category of harm that answers are looked at for. Raises: AttributeError, TypeError."""
    from google.cloud import aiplatform_v1 as api

    level = getattr(api.SafetySetting.HarmBlockThreshold, threshold.upper())
    return [api.SafetySetting(category=getattr(api.HarmCategory, name), threshold=level) for name in _HARMS]


def _thinking(effort: str, model: str) -> Any:
    from google.cloud import aiplatform_v1 as api

    config = api.GenerationConfig.ThinkingConfig
    if "gemini-2" in model:
        return config(thinking_budget=_THINKING_TOKENS[effort])
    return config(thinking_level=getattr(config.ThinkingLevel, effort.upper()))


def schema_of(schema: Json) -> Any:
    """A JSON schema in Vertex AI's words; what those cannot say is left out."""
    from google.cloud import aiplatform_v1 as api

    kinds = schema.get("type", "object")
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    named = [kind for kind in kinds if kind != "null"] or ["string"]
    values: dict[str, Any] = {"type_": getattr(api.Type, named[0].upper()), "nullable": "null" in kinds}
    for name in ("description", "title", "enum", "required", "minimum", "maximum", "min_items", "max_items"):
        camel = name.replace("_i", "I")
        if camel in schema:
            values[name] = schema[camel]
    if "items" in schema:
        values["items"] = schema_of(schema["items"])
    if "properties" in schema:
        values["properties"] = {name: schema_of(one) for name, one in schema["properties"].items()}
        values["property_ordering"] = list(schema["properties"])
    return api.Schema(**values)


def read(stream: Iterable[Any], elapsed: Callable[[], float], listener: Listener | None = None) -> Answer:
    """The answer in a stream of responses. elapsed: seconds since sending.

    Raises: ContentFiltered for a blocked prompt, ServerFault for a stream without an end.
    """
    answer = Answer()
    text: list[str] = []
    thought: list[str] = []
    for response in stream:
        _refuse_blocked(response)
        answer.model = response.model_version or answer.model
        if response.response_id:
            answer.record["id"] = response.response_id
        if "usage_metadata" in response:
            answer.usage = _usage(response.usage_metadata)
        for candidate in list(response.candidates)[:1]:
            for part in candidate.content.parts:
                (thought if part.thought else text).append(part.text)
                if part.text:
                    answer.heard(elapsed())
                if listener and part.text and not part.thought:
                    listener.hear(part.text)
            answer.finish = _finish(candidate) or answer.finish
    if not answer.finish:
        raise broken("it ended without a finished candidate")
    answer.text, answer.thought = "".join(text), "".join(thought)
    return answer


def _finish(candidate: Any) -> str:
    reason = candidate.finish_reason
    name = getattr(reason, "name", str(reason))
    if name == "FINISH_REASON_UNSPECIFIED":
        return ""
    return "content_filter" if name in _STOPPED else name.lower()


def _refuse_blocked(response: Any) -> None:
    if "prompt_feedback" in response and response.prompt_feedback.block_reason:
        reason = response.prompt_feedback.block_reason
        said = response.prompt_feedback.block_reason_message or getattr(reason, "name", str(reason))
        raise ContentFiltered(f"Vertex AI blocked the prompt: {scrub(said)}", maybe_paid=True)


def _usage(reported: Any) -> Usage | None:
    prompt = reported.prompt_token_count + sum(d.token_count for d in reported.tool_use_prompt_tokens_details)
    thoughts = reported.thoughts_token_count
    completion = reported.candidates_token_count + thoughts
    if not prompt and not completion:
        return None
    return Usage(prompt, completion, thoughts, reported.cached_content_token_count)


@contextmanager
def errors() -> Iterator[None]:
    """Turns whatever the client raises into the errors of app.ports.llm."""
    import requests
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError
    from google.protobuf.json_format import Error as JsonFormatError

    try:
        yield
    except GoogleAPICallError as error:
        raise _refused(error) from None
    except GoogleAuthError as error:
        raise _unauthorized(error) from None
    except requests.RequestException as error:
        raise _unanswered(error) from None
    except (ValueError, TypeError, AttributeError, JsonFormatError) as error:
        # The client's own words for a body that is no array of responses, or that ended too early.
        raise broken(scrub(str(error))[:120]) from None


def _refused(error: Any) -> CallError:
    response = error.response
    if response is None:
        return ServerFault(scrub(str(error)), maybe_paid=True)
    return error_of(read_refusal(response.status_code, lower(response.headers), response.content))


def _unauthorized(error: Any) -> CallError:
    said = f"Google Cloud credentials: {scrub(str(error))}"
    return Unreachable(said) if error.retryable else Unauthorized(said)


def _unanswered(error: Any) -> CallError:
    import requests
    from urllib3.exceptions import MaxRetryError, ReadTimeoutError

    cause = error.args[0] if error.args else None
    if isinstance(error, requests.ReadTimeout) or isinstance(cause, ReadTimeoutError):
        return TimedOut("no complete answer in time", maybe_paid=True)
    if isinstance(cause, MaxRetryError):
        return Unreachable(f"no connection to Vertex AI: {type(cause.reason).__name__}")
    if isinstance(error, requests.ConnectionError):
        return Unreachable("Vertex AI closed the connection before it answered", maybe_paid=True)
    return broken(f"it was cut off ({type(error).__name__})")
