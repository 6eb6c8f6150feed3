// Live values: each message is an object from the name of an element's data-live to its new text.
const places = new Map();
for (const element of document.querySelectorAll("[data-live]")) places.set(element.dataset.live, element);
if (places.size > 0) {
  const stream = new EventSource(document.body.dataset.stream);
  stream.onmessage = ({ data }) => {
    for (const [name, text] of Object.entries(JSON.parse(data))) {
      const place = places.get(name);
      if (place !== undefined) place.textContent = text;
    }
  };
}
