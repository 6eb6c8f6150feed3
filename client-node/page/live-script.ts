/**
 * The page's only script. Each message is an object from the name of an element's data-live to its new text, which
 * is set as text.
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
      for (const place of places.get(name) ?? []) place.textContent = text;
  };
}
`;
