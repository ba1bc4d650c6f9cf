(function () {
  var root = document.documentElement;
  var at = Date.parse(root.dataset.at), until = Date.parse(root.dataset.until);
  var age = document.getElementById("age"), find = document.getElementById("find");
  var title = document.title;
  function words(s) {
    if (s === 1) return "1 second";
    if (s < 120) return s + " seconds";
    if (s < 7200) return Math.floor(s / 60) + " minutes";
    if (s < 172800) return Math.floor(s / 3600) + " hours";
    return Math.floor(s / 86400) + " days";
  }
  function tick() {
    var now = Date.now();
    age.textContent = words(Math.max(0, Math.floor((now - at) / 1000))) + " ago";
    root.classList.toggle("stale", now > until);
    document.title = (now > until ? "Out of date: " : "") + title;
  }
  root.classList.add("live");
  tick();
  setInterval(tick, 1000);
  // A page on a wall shows the next collection, but never interrupts somebody who searches.
  setInterval(function () {
    if (!document.hidden && navigator.onLine && !(find && find.value)) location.reload();
  }, 60000);
  if (!find) return;
  var items = document.querySelectorAll(".blf li");
  find.addEventListener("input", function () {
    var wanted = find.value.trim().toLowerCase();
    items.forEach(function (item) {
      item.hidden = wanted !== "" && item.textContent.toLowerCase().indexOf(wanted) < 0;
    });
  });
})();
