//! The smallest live page there is, and the socket that it echoes through.

use std::sync::Arc;

use futures_util::SinkExt;
use poem::web::Data;
use poem::{Request, Response, Upgraded, handler};
use tokio_stream::StreamExt;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::sync::CancellationToken;

use super::Site;
use crate::auth::Caller;
use crate::live::{Live, Upgrade};
use crate::views::HelloPage;

/// The longest message that is echoed, in bytes.
const MESSAGE_LIMIT: usize = 1024 * 1024;

/// Bytes of a connection's read buffer. tungstenite's default of 128 KiB is what an idle viewer
/// would cost; what viewers send us is short.
const READ_BUFFER_BYTES: usize = 1024;

/// Bytes that are gathered before the socket is written to.
const WRITE_BUFFER_BYTES: usize = 8 * 1024;

#[handler]
pub fn page(Data(site): Data<&Arc<Site>>, caller: Caller) -> poem::Result<Response> {
    site.show(&caller, &HelloPage {})
}

/// Sends back every text and binary message, and does nothing else.
#[handler]
pub fn echo(Data(live): Data<&Arc<Live>>, request: &Request) -> poem::Result<Response> {
    let upgrade = Upgrade::of(request)?;
    let place = live.places.admit_uncounted()?;
    let (response, upgraded) = upgrade.accept();
    let stop = live.stop.clone();
    let echoing = async move {
        let _place = place;
        if let Some(stream) = upgraded.await {
            let config = Some(socket_config());
            let socket = WebSocketStream::from_raw_socket(stream, Role::Server, config).await;
            send_back(socket, stop).await;
        }
    };
    live.tasks
        .spawn(live.cut.clone().run_until_cancelled_owned(echoing));
    Ok(response)
}

async fn send_back(mut socket: WebSocketStream<Upgraded>, stop: CancellationToken) {
    while let Some(Some(Ok(message))) = stop.run_until_cancelled(socket.next()).await {
        let is_content = message.is_text() || message.is_binary();
        if is_content && socket.send(message).await.is_err() {
            return;
        }
    }
    let _ = socket.close(None).await;
}

/// Small buffers, and bounded messages; a longer one ends the connection with 1009.
fn socket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(Some(MESSAGE_LIMIT))
        .max_frame_size(Some(MESSAGE_LIMIT))
}
