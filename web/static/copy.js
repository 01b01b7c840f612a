// Copies the text of another element when its button is pressed, where the browser lets a page do so.

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
