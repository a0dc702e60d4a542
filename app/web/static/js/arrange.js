// Lists to put in order: dragging by Sortable, keys and buttons by this file; every move is said aloud and renumbers the places.
class Arranged {
  constructor(root) {
    this.list = root.querySelector(".arranged");
    this.voice = root.querySelector("[role=status]");
    this.ties = "ties" in root.dataset;
    globalThis.Sortable?.create(this.list, {
      handle: ".grip",
      animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
      ghostClass: "ghost",
      onStart: (event) => { this.from = this.items().indexOf(event.item); },
      onEnd: (event) => this.settle(event.item, this.from),
    });
    this.list.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("click", (event) => this.press(event));
    this.list.addEventListener("change", (event) => this.typed(event));
    this.list.addEventListener("focusout", (event) => { if (this.lifted && !this.moving && event.target.closest("li") === this.lifted) this.drop(); });
  }

  items() { return [...this.list.children]; }

  say(text) { this.voice.textContent = text; }

  // Puts an item before whatever stands at the index now, and keeps the focus on what had it.
  move(item, to) {
    const others = this.items().filter((one) => one !== item);
    const from = this.items().indexOf(item);
    const at = Math.max(0, Math.min(others.length, to));
    if (at === from) return;
    const focused = document.activeElement;
    this.moving = true;
    this.list.insertBefore(item, others[at] ?? null);
    if (item.contains(focused)) focused.focus();
    this.moving = false;
    this.settle(item, from);
  }

  // After a move: who stood below it in a tie goes on alone, and whoever lands between two that are tied joins them.
  settle(item, from) {
    const items = this.items();
    const at = items.indexOf(item);
    if (at === from) return;
    const left = items.filter((one) => one !== item)[from];
    if (!("tied" in item.dataset) && left) delete left.dataset.tied;
    const below = items[at + 1];
    if (below && "tied" in below.dataset) item.dataset.tied = "";
    else delete item.dataset.tied;
    this.renumber();
    this.tell(item);
  }

  renumber() {
    let place = 0;
    this.items().forEach((item, at) => {
      if (at === 0) delete item.dataset.tied;
      const tied = "tied" in item.dataset;
      if (!tied) place = at + 1;
      item.querySelector(".place").value = place;
      item.querySelector("[data-move=tie]")?.setAttribute("aria-pressed", String(tied));
    });
  }

  tell(item) {
    const place = item.querySelector(".place").value;
    this.say(`${item.dataset.label}: place ${place} of ${this.items().length}${"tied" in item.dataset ? ", tied with the one above" : ""}`);
    this.list.dispatchEvent(new Event("change", { bubbles: true }));
  }

  tie(item) {
    if (!this.ties || this.items()[0] === item) return;
    if ("tied" in item.dataset) delete item.dataset.tied;
    else item.dataset.tied = "";
    this.renumber();
    this.tell(item);
  }

  lift(item) {
    this.lifted = item;
    this.start = this.items().map((one) => [one, "tied" in one.dataset]);
    item.classList.add("lifted");
    this.say(`${item.dataset.label} lifted. Arrows move it, space puts it down, Escape takes it back.`);
  }

  drop() {
    this.lifted.classList.remove("lifted");
    this.say(`${this.lifted.dataset.label} put down at place ${this.lifted.querySelector(".place").value}`);
    this.lifted = null;
  }

  restore() {
    const item = this.lifted;
    const grip = item.querySelector(".grip");
    this.moving = true;
    for (const [one, tied] of this.start) {
      this.list.append(one);
      if (tied) one.dataset.tied = "";
      else delete one.dataset.tied;
    }
    grip.focus();
    this.moving = false;
    item.classList.remove("lifted");
    this.lifted = null;
    this.renumber();
    this.tell(item);
  }

  key(event) {
    const item = event.target.closest("li");
    const handle = event.target.closest(".grip") !== null;
    const steps = { ArrowUp: -1, ArrowDown: 1, Home: -this.items().length, End: this.items().length };
    const at = this.items().indexOf(item);
    if (event.key in steps && ((event.altKey && at >= 0) || this.lifted === item)) this.move(item, at + steps[event.key]);
    else if (handle && [" ", "Enter"].includes(event.key)) { if (this.lifted) this.drop(); else this.lift(item); }
    else if (handle && event.key === "Escape" && this.lifted) this.restore();
    else if (handle && event.key === "=") this.tie(item);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  press(event) {
    const button = event.target.closest("[data-move]");
    if (!button) return;
    const item = button.closest("li");
    const at = this.items().indexOf(item);
    if (button.dataset.move === "tie") this.tie(item);
    else this.move(item, at + (button.dataset.move === "up" ? -1 : 1));
  }

  // A place typed by hand: there, or tied with who has that place already.
  typed(event) {
    if (!event.target.matches(".place")) return;
    event.stopPropagation();
    const item = event.target.closest("li");
    const wanted = Number.parseInt(event.target.value, 10);
    const before = this.items().indexOf(item);
    if (!(wanted >= 1)) { this.renumber(); return; }
    const held = this.items().filter((one) => one !== item && one.querySelector(".place").value === String(wanted));
    if (this.ties && held.length) {
      const last = this.items().indexOf(held.at(-1));
      this.move(item, before < last ? last : last + 1);
      item.dataset.tied = "";
      this.renumber();
      this.tell(item);
    } else {
      this.move(item, wanted - 1);
      this.renumber();
    }
  }
}

globalThis.htmx.onLoad((part) => {
  const roots = part.matches?.("[data-arrange]") ? [part] : part.querySelectorAll("[data-arrange]");
  for (const root of roots) new Arranged(root);
});
