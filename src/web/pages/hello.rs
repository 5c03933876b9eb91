//! The smallest live page there is, and the socket that it echoes through.

mod pump;

use std::sync::Arc;

use poem::web::Data;
use poem::{Request, Response, handler};

use self::pump::Pump;
pub use self::pump::Room;
use self::pump::Times;
use crate::auth::Principal;
use crate::limits::ClientAddress;
use crate::live::{Live, Upgrade};
use crate::views::HelloPage;
use crate::web::Site;

#[handler]
pub fn page(Data(site): Data<&Arc<Site>>, caller: Principal) -> poem::Result<Response> {
    site.show(&caller, &HelloPage {})
}

/// Sends back every text and binary message, and does nothing else.
#[handler]
pub fn echo(
    Data(live): Data<&Arc<Live>>,
    Data(site): Data<&Arc<Site>>,
    request: &Request,
) -> poem::Result<Response> {
    let upgrade = Upgrade::of(request)?;
    let place = live
        .places
        .admit_uncounted(ClientAddress::from_request(request))?;
    let (response, upgraded) = upgrade.accept();
    let (stop, room) = (live.stop.clone(), site.echo_room.clone());
    let times = Times {
        idle: live.idle_time,
        pause: live.message_time,
    };
    let echoing = async move {
        let _place = place;
        if let Some(stream) = upgraded.await {
            Pump::new(stream, room).run(&stop, times).await;
        }
    };
    live.tasks
        .spawn(live.cut.clone().run_until_cancelled_owned(echoing));
    Ok(response)
}
