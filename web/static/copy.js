// Copies the text of another element when its button is pressed. Without access to the clipboard the button is removed.

for (const button of document.querySelectorAll('[data-copy]')) {
  if (!navigator.clipboard) {
    button.remove();
    continue;
  }
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = button.dataset.copied;
  });
}
