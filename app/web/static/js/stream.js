// Says when the page has lost its event stream and may be out of date, and takes it back when the stream is there again.
const live = document.getElementById("live");
const lost = document.getElementById("stream-lost");
live?.addEventListener("htmx:sse:error", () => { lost.hidden = false; });
live?.addEventListener("htmx:sse:after:connection", () => { lost.hidden = true; });
