// The buttons that copy: what each copies stands before it, or in a part of that.
const status = document.getElementById("copied");

async function copy(button) {
  const before = button.previousElementSibling;
  const source = before.querySelector(".copies") ?? before;
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch { // not allowed here: at least it is marked
    getSelection().selectAllChildren(source);
    said = document.execCommand("copy") ? "Copied" : "Marked: press Ctrl+C";
  }
  const name = button.dataset.name ??= button.textContent;
  status.textContent = `${name}: ${said}`;
  button.textContent = said;
  setTimeout(() => { button.textContent = name; }, 2000);
}

for (const button of document.querySelectorAll("button")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}
