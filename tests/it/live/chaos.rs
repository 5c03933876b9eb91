//! Network faults on request: who may ask for a fault, and what each fault does.

mod cut;
mod hold;

use pet_store::auth::AuthMode;
use tokio::runtime::Handle;

use crate::support::{Raw, Sse, TestApp, Viewer, Ws, fill, metric, spawn_app, spawn_app_in, until};

const MODES: [&str; 6] = ["refuse-ws", "kill", "eat", "hold", "cut", "delay"];
const ROUTES: [&str; 4] = ["ws", "sse", "poll", "state"];

/// Opens a viewer that asks for `mode`.
async fn open(app: &TestApp, transport: &str, mode: &str) -> Viewer {
    Viewer::open(transport, &app.url(""), &format!("?chaos={mode}")).await
}

/// The refusal of a WebSocket that asks for `mode`; none when it was let in.
async fn refusal(app: &TestApp, mode: &str) -> Option<u16> {
    let path = format!("/live/ws?chaos={mode}");
    let opened = Ws::try_open(&app.url(""), &path, &[]).await;
    opened.err().flatten()
}

#[tokio::test]
async fn an_unknown_mode_is_refused_with_the_list_of_modes() {
    let app = spawn_app().await;
    for route in ROUTES {
        for mode in ["", "KILL", "everything"] {
            let response = app.get(&format!("/live/{route}?chaos={mode}")).await;
            assert_eq!(response.status(), 400, "{route} {mode}");
            assert_eq!(
                response.headers()["content-type"],
                "application/problem+json"
            );
            let problem = response.text().await.unwrap();
            for known in MODES {
                assert!(problem.contains(known), "{known} in {problem}");
            }
        }
    }
}

/// In serve mode the parameter is ignored like any unknown one.
#[tokio::test]
async fn in_serve_mode_no_fault_is_injected() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 1);
    let app = spawn_app_in(folder.path(), |config| config.auth = AuthMode::Serve).await;
    for mode in MODES.iter().chain(&["everything"]) {
        for transport in ["ws", "sse", "poll"] {
            let mut viewer = open(&app, transport, mode).await;
            assert_eq!(viewer.next().await["type"], "hello", "{transport} {mode}");
            assert_eq!(
                viewer.next().await["type"],
                "snapshot",
                "{transport} {mode}"
            );
        }
        let state = app.get(&format!("/live/state?chaos={mode}")).await;
        assert_eq!(state.status(), 200, "{mode}");
    }
}

#[tokio::test]
async fn live_pages_offer_every_mode_in_the_demo_and_none_in_serve_mode() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 1);
    let demo = spawn_app().await;
    demo.add_pet("Biscuit").await;
    let serve = spawn_app_in(folder.path(), |config| config.auth = AuthMode::Serve).await;
    for path in ["/pets", "/pets/1", "/hello"] {
        let page = demo.text(path).await;
        assert!(page.contains(r#" data-chaos="on""#), "{path}");
        let (_, switch) = page.split_once(r#"<select id="chaos""#).unwrap();
        let (switch, _) = switch.split_once("</select>").unwrap();
        let values = switch.split("value=\"").skip(1);
        let values: Vec<_> = values.map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(values, [&[""], &MODES[..]].concat(), "{path}");
        assert!(!serve.text(path).await.contains("chaos"), "{path}");
    }
}

#[tokio::test]
async fn a_network_that_refuses_websocket_answers_403_and_affects_nothing_else() {
    let app = spawn_app().await;
    for mode in MODES {
        let expected = ["refuse-ws", "hold"].contains(&mode).then_some(403);
        assert_eq!(refusal(&app, mode).await, expected, "{mode}");
    }
    for transport in ["sse", "poll"] {
        let mut viewer = open(&app, transport, "refuse-ws").await;
        assert_eq!(viewer.next().await["type"], "hello", "{transport}");
        assert_eq!(viewer.next().await["type"], "snapshot", "{transport}");
    }
}

#[tokio::test]
async fn polls_that_do_not_wait_and_the_state_have_no_fault() {
    let app = spawn_app().await;
    for mode in MODES {
        for path in ["/live/poll?wait=0", "/live/state?"] {
            let response = app.get(&format!("{path}&chaos={mode}")).await;
            assert_eq!(response.status(), 200, "{path} {mode}");
            assert!(response.text().await.unwrap().contains("snapshot"));
        }
    }
}

/// Nothing arrives from the open to the close of the connection, in either direction.
#[tokio::test]
async fn a_network_that_drops_everything_opens_and_then_is_silent_in_both_directions() {
    let folder = tempfile::tempdir().unwrap();
    let app = spawn_app_in(folder.path(), |_| {}).await;
    let pet = app.add_pet("Biscuit").await;
    let mut eaten = [
        open(&app, "ws", "eat").await,
        open(&app, "sse", "eat").await,
    ];
    let command = |status| format!(r#"{{"do":"set-status","pet":{pet},"status":"{status}"}}"#);
    if let Some(ws) = eaten[0].ws() {
        ws.send(command("eating")).await;
    }
    let mut heard = Ws::open(&app.url(""), "").await;
    heard.send(command("playing")).await;
    assert_eq!(heard.answer().await["type"], "ack");
    let state = app.json("/live/state").await;
    assert_eq!(state["pets"][0]["status"], "playing");
    let cursor = state["cursor"].as_str().unwrap();
    assert!(
        cursor.ends_with("-2"),
        "one creation, one command: {cursor}"
    );
    drop(heard);
    let silent = async {
        for viewer in &mut eaten {
            assert_eq!(viewer.try_next().await, None, "{}", viewer.transport());
        }
    };
    let (in_time, ()) = tokio::join!(app.stop(), silent);
    assert!(in_time, "nothing had to be cut");
}

#[tokio::test]
async fn a_viewer_with_a_fault_is_counted_and_its_disconnect_is_noticed() {
    let app = spawn_app().await;
    let mut open_ones = Vec::new();
    for mode in ["eat", "cut", "delay", "hold"] {
        open_ones.push(Sse::open(&app.url(""), &format!("?chaos={mode}")).await);
    }
    let count = async || metric(&app, r#"petstore_viewers{transport="sse"}"#).await;
    assert_eq!(count().await, 4);
    drop(open_ones);
    until("all to be noticed gone", async || count().await == 0).await;
}

/// The rule is "every task has an owner and is awaited at the stop".
#[tokio::test]
async fn after_a_stop_no_task_of_a_fault_is_left() {
    let tasks = Handle::current().metrics();
    let before = tasks.num_alive_tasks();
    let app = spawn_app().await;
    let mut viewers = Vec::new();
    for mode in ["eat", "hold", "cut", "delay"] {
        let mut viewer = Raw::open(app.address).await;
        let request = format!("GET /live/sse?chaos={mode} HTTP/1.1\r\nHost: x\r\n\r\n");
        viewer.send(&request).await;
        let head = viewer.read_until("\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{mode}: {head}");
        viewers.push((mode, viewer));
    }
    assert!(app.stop().await, "nothing had to be cut");
    assert_eq!(tasks.num_alive_tasks(), before);
    for (mode, mut viewer) in viewers {
        let rest = viewer.read_to_end().await;
        assert_eq!(rest.contains("event: bye"), mode != "eat", "{mode}: {rest}");
    }
}
