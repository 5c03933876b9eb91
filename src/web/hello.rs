//! The smallest live page there is, and the socket that it echoes through.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use poem::web::Data;
use poem::{Request, Response, Upgraded, handler};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_util::sync::CancellationToken;

use super::Site;
use crate::live::{Live, Upgrade, socket_config};
use crate::views::HelloPage;

/// The longest message that is echoed, in bytes.
const MESSAGE_LIMIT: usize = 1024 * 1024;

#[handler]
pub fn page(Data(site): Data<&Arc<Site>>) -> poem::Result<Response> {
    site.show(&HelloPage {})
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
            let config = Some(socket_config(MESSAGE_LIMIT));
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
