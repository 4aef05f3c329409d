const socket = io();
const waves = document.getElementById("waves");

socket.on("waves", (n) => (waves.textContent = n));
document.getElementById("wave").addEventListener("click", async () => {
  waves.textContent = await socket.emitWithAck("wave");
});
