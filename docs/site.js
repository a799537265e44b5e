// Whoever uses a keyboard can scroll what is wider than the screen: tables, and pictures on phones.
const boxes = ".md-typeset__scrollwrap, .md-typeset p:has(> img[src*='pictures/'])";

function mark(box) {
  if (box.scrollWidth > box.clientWidth) {
    box.tabIndex = 0;
  } else {
    box.removeAttribute("tabindex");
  }
}

// The theme wraps the tables when it starts, perhaps after this.
addEventListener("load", () => {
  const sizes = new ResizeObserver((entries) => entries.forEach((entry) => mark(entry.target)));
  const watch = () => document.querySelectorAll(boxes).forEach((box) => sizes.observe(box));
  watch();
  new MutationObserver(watch).observe(document.querySelector("article") ?? document.body, {
    childList: true,
    subtree: true,
  });
});
