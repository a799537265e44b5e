"use strict";
(() => {
  const details = JSON.parse(document.getElementById("details").textContent);
  const dialog = document.querySelector("dialog");
  const body = dialog.querySelector(".body");
  const rows = [...document.querySelectorAll(".map tbody tr")];
  const buttons = [...document.querySelectorAll("td button")];

  function add(parent, tag, text) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  }

  function show(button) {
    body.replaceChildren();
    for (const index of button.dataset.details.split(" ")) {
      const detail = details[index];
      add(body, "h2", detail.title);
      add(body, "p", detail.facts).className = "soft";
      const choice = add(body, "p", detail.choice);
      choice.className = detail.hole ? "alarm tag" : "tag";
      add(body, "p", detail.reason);
      if (detail.order.length) {
        add(body, "h3", "Can install, best first");
        const list = add(body, "ol");
        for (const label of detail.order) add(add(list, "li"), "code", label);
      }
      if (detail.refused.length) {
        add(body, "h3", "Refused");
        const list = add(body, "ul");
        for (const [labels, reason] of detail.refused) {
          const item = add(list, "li");
          add(item, "code", labels);
          item.append(": " + reason);
        }
      }
      if (detail.command) command(add(body, "p"), detail.command);
    }
    dialog.showModal();
  }

  function command(parent, text) {
    parent.className = "command";
    add(parent, "code", text);
    parent.append(" ");
    copies(add(parent, "button", "Copy command"), text);
  }

  function copies(button, text) {
    button.type = "button";
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        // Pages from a file may not use the clipboard: select the text instead.
        const range = document.createRange();
        range.selectNodeContents(button.previousElementSibling);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        document.execCommand("copy");
      }
      button.textContent = "Copied";
    });
  }

  // A spreadsheet must not take a cell for a formula.
  const cell = (value) => {
    const text = String(value).replace(/^(?=[=+\-@\t\r])/, "'");
    return /[",\n\r]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  };

  function download() {
    const columns = document.getElementById("csv").dataset.columns.split(",");
    const shown = buttons.filter((button) => !button.closest("tr").hidden);
    const indexes = shown.flatMap((button) => button.dataset.details.split(" "));
    const lines = [columns, ...indexes.map((index) => details[index].row)];
    const text = lines.map((line) => line.map(cell).join(",") + "\n").join("");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = "coverage.csv";
    link.click();
    return text;
  }

  // One stop of the tab key for the whole map; arrow keys move inside it.
  function step(from, dx, dy) {
    let cell = from.closest("td");
    let row = cell.parentElement;
    const column = cell.cellIndex;
    for (let left = 0; left < 400; left += 1) {
      if (dx) {
        cell = dx > 0 ? cell.nextElementSibling : cell.previousElementSibling;
      } else {
        row = dy > 0 ? row.nextElementSibling : row.previousElementSibling;
        cell = row && row.cells[column];
      }
      if (!cell) return;
      const button = !cell.parentElement.hidden && cell.querySelector("button");
      if (button) {
        from.tabIndex = -1;
        button.tabIndex = 0;
        button.focus();
        return;
      }
    }
  }

  const moves = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  buttons.forEach((button, index) => {
    button.tabIndex = index ? -1 : 0;
    button.addEventListener("click", () => show(button));
    button.addEventListener("keydown", (event) => {
      const move = moves[event.key];
      if (!move) return;
      event.preventDefault();
      step(button, ...move);
    });
  });
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });

  document.getElementById("csv").addEventListener("click", download);
  for (const button of document.querySelectorAll(".copy")) {
    copies(button, button.previousElementSibling.textContent);
  }

  const filter = document.querySelector(".filter");
  const shown = filter.querySelector("output");
  filter.hidden = false;
  filter.querySelector("input").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const text = row.dataset.find;
      row.hidden = !words.every((word) => text.includes(word));
    }
    const left = rows.filter((row) => !row.hidden);
    shown.textContent = `${left.length} of ${rows.length} devices`;
    // The one button that the tab key reaches must not be in a row that has gone.
    const first = left.length && left[0].querySelector("button");
    if (first) for (const button of buttons) button.tabIndex = button === first ? 0 : -1;
  });
})();
