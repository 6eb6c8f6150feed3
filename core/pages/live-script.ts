/**
 * The pages' only script. Each message is an object from the name of an element's data-live to its new text, which is
 * set as text, or as a progress bar's value. Where a page has to be made anew, the stream says that it is stale.
 */
export const liveScript = `const places = new Map();
for (const element of document.querySelectorAll("[data-live]")) {
  const name = element.dataset.live;
  places.set(name, [...(places.get(name) ?? []), element]);
}
if (places.size > 0) {
  const stream = new EventSource(document.body.dataset.stream);
  stream.onmessage = ({ data }) => {
    for (const [name, text] of Object.entries(JSON.parse(data)))
      for (const place of places.get(name) ?? [])
        if (place instanceof HTMLProgressElement) place.value = Number(text);
        else place.textContent = text;
  };
  stream.addEventListener("stale", () => {
    stream.close();
    location.reload();
  });
}
`;
