//! The smallest live page there is, and the socket that it echoes through.

mod pump;

use std::sync::Arc;

use poem::web::Data;
use poem::{Request, Response, handler};

use self::pump::Pump;
pub use self::pump::Room;
use self::pump::Times;
use crate::app_state::AppState;
use crate::auth::Principal;
use crate::limits::ClientAddress;
use crate::live::Handshake;
use crate::views::HelloPage;
use crate::web::Site;

#[handler]
pub fn page(Data(site): Data<&Arc<Site>>, caller: Principal) -> poem::Result<Response> {
    site.show(&caller, &HelloPage {})
}

/// Sends back every text and binary message, and does nothing else.
#[handler]
pub fn echo(
    Data(app): Data<&Arc<AppState>>,
    Data(site): Data<&Arc<Site>>,
    request: &Request,
) -> poem::Result<Response> {
    let handshake = Handshake::from_request(request)?;
    let slot = app
        .slots()
        .admit_uncounted(ClientAddress::from_request(request))?;
    let (response, upgraded) = handshake.accept();
    let (stop, room) = (app.stop_token().clone(), site.echo_room.clone());
    let times = Times {
        idle: app.timeouts().idle,
        pause: app.timeouts().head,
    };
    let echoing = async move {
        let _slot = slot;
        if let Some(stream) = upgraded.await {
            Pump::new(stream, room).run(&stop, times).await;
        }
    };
    app.spawn(echoing);
    Ok(response)
}
