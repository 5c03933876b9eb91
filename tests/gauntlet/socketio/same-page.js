/* Draws changes from Socket.IO into the page of pet-store, and shows the connection to the recorder. */
const TRANSPORTS = { websocket: "ws", polling: "poll" };
const line = document.querySelector("#connection");
const show = (state, text, transport = "") => {
  Object.assign(line.dataset, { state, transport });
  document.querySelector("#connection-text").textContent = text;
};
const draw = ({ id, status, since }) => {
  const pet = document.querySelector(`[data-pet="${id}"]`);
  if (!pet) return;
  pet.dataset.status = status;
  pet.querySelector('[data-field="status"]').textContent = status[0].toUpperCase() + status.slice(1);
  const time = pet.querySelector("time[data-since]");
  time.dateTime = since;
  time.textContent = new Date(since).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
};

const { pets } = document.body.dataset;
const socket = io(pets ? { query: { pet: pets } } : {});
socket.on("connect", () => {
  const { engine } = socket.io;
  const showTransport = () => show("live", "Live", TRANSPORTS[engine.transport.name]);
  engine.on("upgrade", showTransport);
  showTransport();
});
socket.on("disconnect", () => show("offline", "Offline"));
socket.on("change", (message) => {
  (message.pets ?? [{ ...message, id: message.pet }]).forEach(draw);
  document.dispatchEvent(new CustomEvent("petstore:change", { detail: message }));
});
