//! The URL table.

use std::sync::Arc;

use poem::{EndpointExt, Route};

use super::api::{Api, OpenApiDocument};
use super::pages::{
    account, audit, doctor, edit_pet, hello, invitation, pets, revocation, sign_in, staff,
};
use super::poem_fixes::resource;
use super::{Site, api, assets, probes};
use crate::live;

/// Returns every route of the program.
pub fn routes(site: &Arc<Site>) -> Route {
    let api = Api::service(Arc::clone(site));
    let openapi = OpenApiDocument::new(&api);
    Route::new()
        // Pets
        .at("/", resource().get(pets::to_index))
        .at("/pets", resource().get(pets::index).post(pets::create_pet))
        .at("/pets/new", resource().get(pets::new_pet))
        .at(
            "/pets/:id",
            resource().get(pets::show_pet).post(edit_pet::edit_pet),
        )
        .at("/pets/:id/edit", resource().get(edit_pet::edit_form))
        .at("/pets/:id/status", resource().post(pets::set_status))
        .at("/pets/:id/delete", resource().post(pets::remove_pet))
        .at("/pets/:id/history", resource().get(audit::show_history))
        // Sessions and accounts
        .at(
            "/sign-in",
            resource().get(sign_in::show_form).post(sign_in::sign_in),
        )
        .at("/sign-out", resource().post(sign_in::sign_out))
        .at(
            "/welcome/:secret",
            resource()
                .get(invitation::show_form)
                .post(invitation::accept),
        )
        .at("/account", resource().get(account::show_account))
        .at(
            "/account/password",
            resource().post(account::change_password),
        )
        .at(
            "/account/sessions",
            resource()
                .get(revocation::confirm_other_sessions)
                .post(revocation::end_other_sessions),
        )
        .at(
            "/account/sessions/:handle",
            resource()
                .get(revocation::confirm_session)
                .post(revocation::end_session),
        )
        .at("/account/tokens", resource().post(account::create_token))
        .at(
            "/account/tokens/:handle",
            resource()
                .get(revocation::confirm_token)
                .post(revocation::revoke_token),
        )
        .at(
            "/staff",
            resource().get(staff::show_staff).post(staff::invite),
        )
        .at(
            "/staff/:name",
            resource().get(staff::confirm_action).post(staff::act),
        )
        .at("/audit", resource().get(audit::show_audit))
        // Live
        .at("/hello", resource().get(hello::show_hello))
        .at("/hello/ws", resource().get_only(live::echo_websocket))
        .at(
            "/live/ws",
            resource().get_only(live::watch_websocket.around(live::inject_faults)),
        )
        .at(
            "/live/sse",
            resource().get(live::watch_sse.around(live::inject_faults)),
        )
        .at(
            "/live/poll",
            resource().get_only(live::poll_changes.around(live::inject_faults)),
        )
        .at(
            "/live/state",
            resource().get(live::read_state.around(live::inject_faults)),
        )
        .at(doctor::PATH, resource().get(doctor::show_doctor))
        // API
        .nest(api::ADDRESS, api::endpoint(api, openapi.clone()))
        .at(
            "/api/openapi.json",
            resource().get(openapi.clone().into_json()),
        )
        .at("/api/docs", resource().get(openapi.into_page()))
        // Operation
        .at("/healthz", resource().get(probes::health))
        .at("/readyz", resource().get(probes::readiness))
        .at("/metrics", resource().get(probes::show_metrics))
        .at("/assets/:fingerprint/*path", resource().get(assets::asset))
        .at("/favicon.ico", resource().get(assets::icon))
}
