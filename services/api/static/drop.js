// Takes a file that is dropped onto a form as if it had been chosen, and says at once when it is too large.
"use strict";

for (const form of document.querySelectorAll("form[data-drop]")) {
  const input = form.querySelector("input[type=file]");
  if (input.matches(":disabled")) continue;
  const most = Number(form.dataset.mostBytes);
  const check = () => {
    const file = input.files[0];
    const excess = file && file.size > most;
    input.setCustomValidity(excess ? `This file has ${file.size.toLocaleString("en")} bytes; a form takes ${most.toLocaleString("en")}.` : "");
    input.reportValidity();
  };
  const isFile = (event) => event.dataTransfer.types.includes("Files");
  form.addEventListener("dragover", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    form.classList.add("over");
  });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    form.classList.remove("over");
    if (!isFile(event)) return;
    event.preventDefault();
    input.files = event.dataTransfer.files;
    check();
  });
  input.addEventListener("change", check);
}
