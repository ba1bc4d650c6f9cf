//! The web page: what it says, that it is one file, and what a browser makes of it.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Command,
    sync::{Arc, Mutex},
};

use freepbx_snapshot::views::html::render;
use serde_json::{Value, json};

use super::{
    program::Program,
    sample::{self, HOSTILE},
};

fn page(snapshot: &Value, seconds: i64) -> String {
    render(&sample::typed(snapshot), sample::after(snapshot, seconds))
}

/// The page without style and script, which have files of their own to review.
fn content(page: &str) -> String {
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    let (body, rest) = rest.split_once("<script>").unwrap();
    let (_, end) = rest.split_once("</script>").unwrap();
    let policy = head.find("<meta http-equiv").unwrap()..head.find("<meta name").unwrap();
    format!("{}{body}{end}", head.replace(&head[policy], ""))
}

#[test]
fn the_page_of_the_demonstration_pbx() {
    insta::assert_snapshot!(content(&page(&sample::demo(), 5)));
}

#[test]
fn the_page_of_an_empty_pbx_says_none() {
    let page = page(&sample::empty(), 5);
    assert!(page.contains("All is well"));
    assert_eq!(page.matches("None.").count(), 4, "trunks, queues, calls, extensions");
    assert!(!page.contains("Not known.") && !page.contains("id=\"find\""));
}

#[test]
fn a_section_that_was_not_read_is_not_known_with_its_reason() {
    let page = page(&sample::denied(), 5);
    assert_eq!(page.matches("<b>Not known.</b>").count(), 4);
    assert!(page.contains("trunks was denied") && page.contains("Nothing wrong in what could be"));
    assert!(page.contains("<b><small>not known</small></b>trunks up"));
    assert!(!page.contains("All is well"));
}

#[test]
fn a_stale_page_says_so_without_a_script() {
    let snapshot = sample::healthy();
    let (fresh, stale) = (page(&snapshot, 5), page(&snapshot, 601));
    let begin = "<html lang=\"en\"";
    assert!(fresh.contains(&format!("{begin} data-at")));
    assert!(stale.contains(&format!("{begin} class=\"stale\"")));
    assert!(stale.contains("Out of date: this was collected at 2026-11-21"));
    assert!(stale.contains("10 minutes before this page was written"));
}

#[test]
fn no_name_is_markup() {
    let page = page(&sample::hostile(), 5);
    let text = content(&page);
    assert!(!text.contains("<img") && !text.contains("</script>"));
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']));
    assert!(text.contains("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&quot;&#39;{}"));
    assert_eq!(page.matches("<script").count(), 1);
    assert!(HOSTILE.contains("<img"));
}

#[test]
fn the_page_loads_nothing_and_stays_small() {
    let page = page(&sample::large(), 5);
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
    assert!(!page.contains(" src=") && !page.contains(" style=") && !page.contains(" onclick="));
    assert_eq!(page.matches("href=").count(), 1, "the icon, a data URL");
    // The only address is a name of XML's.
    assert_eq!(page.matches("://").count(), 1);
    assert!(page.len() < 500_000, "{} bytes", page.len());
}

#[test]
fn the_program_prints_and_writes_the_page() {
    let program = Program::with_config("freepbx: {ami_username: x, ami_password: y}\n");
    std::fs::create_dir(program.path("cache")).unwrap();
    let snapshot = sample::collected_now(sample::demo());
    std::fs::write(program.path("cache/freepbx.json"), snapshot.to_string()).unwrap();
    let printed = program.run(&["export", "html"]);
    assert_eq!((printed.code, printed.stderr.as_str()), (0, ""));
    assert!(printed.stdout.starts_with("<!DOCTYPE html>") && printed.stdout.ends_with("</html>\n"));
    let written = program.run(&["export", "html", "--output", "page.html"]);
    assert_eq!((written.code, written.stdout.as_str()), (0, ""));
    let page = std::fs::read_to_string(program.path("page.html")).unwrap();
    assert!(page.contains("7 things need attention now, 2 need a look"));
}

#[test]
fn without_a_snapshot_there_is_no_page() {
    let program = Program::with_config("other: {}\n");
    let ended = program.run(&["export", "html", "--file", "nowhere.json", "--output", "x.html"]);
    assert_eq!(ended.code, 66, "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1);
    assert!(ended.stderr.contains("nowhere.json does not exist"));
    assert!(!program.path("x.html").exists());
}

/// What Chromium makes of a page that a server on loopback delivers.
struct Seen {
    dom: String,
    console: Vec<String>,
    requests: Vec<String>,
    picture: Vec<u8>,
}

fn look(page: String, width: u32, height: u32) -> Seen {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::clone(&requests);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            // Browsers open connections in advance, without asking anything.
            let Some(line) = request.lines().next() else {
                continue;
            };
            asked.lock().unwrap().push(line.to_owned());
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{page}",
                page.len()
            );
        }
    });
    let folder = tempfile::TempDir::new().unwrap();
    let chromium = |what: &str| {
        let output = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update"])
            .args(["--disable-sync", "--disable-dev-shm-usage", "--enable-logging=stderr"])
            .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg(format!("--window-size={width},{height}"))
            .arg(what)
            .arg(format!("http://127.0.0.1:{port}/page"))
            .output()
            .expect("chromium is installed");
        assert!(output.status.success(), "{output:?}");
        output
    };
    let output = chromium("--dump-dom");
    let console = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| line.contains(":CONSOLE"))
        .map(str::to_owned)
        .collect();
    let requests = std::mem::take(&mut *requests.lock().unwrap());
    let picture = folder.path().join("picture.png");
    chromium(&format!("--screenshot={}", picture.display()));
    Seen {
        dom: String::from_utf8(output.stdout).unwrap(),
        console,
        requests,
        picture: std::fs::read(picture).unwrap(),
    }
}

/// One test and not several, because browsers side by side starve each other.
#[test]
#[ignore = "needs chromium: .ci/run"]
fn a_browser_shows_the_page_and_has_nothing_to_complain_about() {
    // That the test would notice.
    let bad =
        page(&sample::demo(), 5).replace("<main>", "<main><img src=\"/x.png\"><p style=\"\">");
    let seen = look(bad, 800, 600);
    assert!(seen.console.iter().any(|line| line.contains("Content Security Policy")));

    for (snapshot, width, height) in [
        (sample::collected_now(sample::demo()), 1280, 3000),
        (sample::collected_now(sample::hostile()), 500, 3000),
        (sample::collected_now(sample::large()), 1280, 3000),
    ] {
        let seen = look(page(&snapshot, 0), width, height);
        assert_eq!(seen.console, Vec::<String>::new());
        assert_eq!(seen.requests, ["GET /page HTTP/1.1"]);
        let begin: String = seen.dom.chars().take(200).collect();
        assert!(begin.contains("class=\"live\""), "the script runs, the page is fresh: {begin}");
        assert!(seen.picture.starts_with(b"\x89PNG") && seen.picture.len() > 50_000);
    }

    // Written when fresh, looked at much later.
    let mut old = sample::demo();
    old["collected_at"] = json!("2020-01-01T00:00:00Z");
    old["stale_after"] = json!("2020-01-01T00:10:00Z");
    let page = page(&old, 0);
    assert!(page.contains("<html lang=\"en\" data-at"));
    let seen = look(page, 800, 600);
    assert!(seen.dom.contains("class=\"live stale\"") && seen.dom.contains("<title>Out of date: "));
}
