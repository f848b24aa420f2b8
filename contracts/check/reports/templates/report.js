
// A finding links to its place inside the run; a folded trace is drawn once it has a size.
{
  const redraw = () => dispatchEvent(new Event("resize"));
  for (const run of document.querySelectorAll("details.run")) run.addEventListener("toggle", redraw);
  for (const link of document.querySelectorAll("a[data-run]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const run = document.getElementById(link.dataset.run);
      run.open = true;
      run.scrollIntoView();
      const { trace } = run.querySelector("[data-trace]");
      requestAnimationFrame(() => {
        redraw();
        trace.goTo(link.dataset.pointer);
      });
    });
  }
}
