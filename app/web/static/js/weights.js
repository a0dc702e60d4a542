// Each slider of the weights says its value at once; the server says what follows from it.
document.addEventListener("input", (event) => {
  const said = event.target.closest(".weight")?.querySelector("b");
  if (said) said.textContent = event.target.value;
});
