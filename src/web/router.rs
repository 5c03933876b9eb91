//! The URL table.

use std::sync::Arc;

use poem::{EndpointExt, Route};

use super::api::OpenApiDocument;
use super::pages::pets::trash;
use super::pages::{
    account, audit, bulk, doctor, edit_pet, hello, invitation, pets, photos as photo_pages,
    revocation, settings, sign_in, staff,
};
use super::poem_fixes::{get, get_only, post};
use super::{
    Site, api, assets, crawlers, embeds, feeds, lobby, offline, photos, print, probes, spreadsheet,
};
use crate::live;
use crate::views::PETS_FEED;

/// Returns every route of the program.
pub fn routes(site: &Arc<Site>) -> Route {
    let api = api::service(site);
    let base_path = site.app.authenticator().base_path();
    let openapi = OpenApiDocument::new(&api, base_path);
    Route::new()
        // Pets
        .at("/", get(pets::to_index))
        .at("/pets", get(pets::index).post(pets::create_pet))
        .at("/pets/new", get(pets::new_pet))
        .at(
            spreadsheet::IMPORT_PATH,
            get(spreadsheet::show_import).post(spreadsheet::import_pets),
        )
        .at(PETS_FEED, get(feeds::show_pets))
        .at(feeds::ADOPTED_PATH, get(feeds::show_adopted))
        .at("/pets/:id/feed.atom", get(feeds::show_pet))
        .at("/pets/export.csv", get(spreadsheet::export_pets))
        .at(bulk::PATH, post(bulk::set_statuses))
        .at(bulk::UNDO_PATH, post(bulk::undo_statuses))
        .at("/pets/:id", get(pets::show_pet).post(edit_pet::edit_pet))
        .at("/pets/:id/edit", get(edit_pet::edit_form))
        .at("/pets/:id/status", post(pets::status::set_status))
        .at("/pets/:id/delete", post(pets::remove_pet))
        .at("/pets/:id/print", get(print::show_sheet))
        .at(
            "/pets/:id/photos",
            get(photo_pages::show_photos).post(photo_pages::add_photos),
        )
        .at("/pets/:id/photos/order", post(photo_pages::arrange_photos))
        .at("/pets/:id/history", get(audit::show_history))
        .at(trash::PATH, get(trash::show_trash))
        .at(
            "/trash/:id",
            get(trash::confirm_deletion).post(trash::delete_pet),
        )
        .at("/trash/:id/restore", post(trash::restore_pet))
        .at("/board", get(lobby::show_lobby))
        .at("/share", get(embeds::share_board))
        .at("/pets/:id/share", get(embeds::share_pet))
        .at("/pets/:id/badge.svg", get(embeds::show_badge))
        .at("/pets/:id/live.png", get(embeds::show_live_picture))
        .at(embeds::oembed::PATH, get(embeds::oembed::show_oembed))
        .at("/embed/board", get(embeds::show_board))
        .at("/embed/pets/:id", get(embeds::show_pet))
        .at("/pets/:id/days/:date", get(pets::day::show_day))
        .at("/photos/:name", get(photos::show_photo))
        // Sessions and accounts
        .at("/sign-in", get(sign_in::show_form).post(sign_in::sign_in))
        .at("/sign-out", post(sign_in::sign_out))
        .at(
            "/welcome/:secret",
            get(invitation::show_form).post(invitation::accept),
        )
        .at("/account", get(account::show_account))
        .at("/account/password", post(account::change_password))
        .at("/account/pin", post(account::station::set_pin))
        .at("/account/station", post(account::station::set_up_station))
        .at(
            "/account/sessions",
            get(revocation::confirm).post(revocation::revoke),
        )
        .at(
            "/account/sessions/:handle",
            get(revocation::confirm).post(revocation::revoke),
        )
        .at("/account/tokens", post(account::create_token))
        .at(
            "/account/tokens/:handle",
            get(revocation::confirm).post(revocation::revoke),
        )
        .at("/staff", get(staff::show_staff).post(staff::invite))
        .at("/staff/:name", get(staff::confirm_action).post(staff::act))
        .at("/audit", get(audit::show_audit))
        .at(
            settings::PATH,
            get(settings::show_form).post(settings::save),
        )
        .at(
            photos::LOGO_PATH,
            get(photos::show_logo).post(photos::save_logo),
        )
        .at(
            settings::activities::PATH,
            get(settings::activities::show_list).post(settings::activities::add),
        )
        .at(
            "/settings/activities/:word",
            get(settings::activities::show_form).post(settings::activities::edit),
        )
        .at(
            settings::webhooks::PATH,
            get(settings::webhooks::show_list).post(settings::webhooks::add),
        )
        .at("/settings/webhooks/new", get(settings::webhooks::show_new))
        .at(
            "/settings/webhooks/:id",
            get(settings::webhooks::show).post(settings::webhooks::act),
        )
        .at(
            "/settings/webhooks/:id/edit",
            get(settings::webhooks::show_edit).post(settings::webhooks::save),
        )
        // Live
        .at("/hello", get(hello::show_hello))
        .at("/hello/ws", get_only(live::echo_websocket))
        .at(
            "/live/ws",
            get_only(live::watch_websocket.around(live::inject_faults)),
        )
        .at(
            "/live/sse",
            get(live::watch_sse.around(live::inject_faults)),
        )
        .at(
            "/live/poll",
            get_only(live::poll_changes.around(live::inject_faults)),
        )
        // The same with any word at its end: a cache that ignores the query would mix up two polls.
        .at(
            "/live/poll/:nonce",
            get_only(live::poll_changes.around(live::inject_faults)),
        )
        .at(
            "/live/state",
            get(live::read_state.around(live::inject_faults)),
        )
        // For caches, so without faults.
        .at("/live/log", get_only(live::read_log))
        .at("/live/state/:cursor", get(live::read_state_at))
        .at("/live/client.js", get(assets::library))
        .at("/live/follow.js", get(assets::log_follower))
        .at(
            r"/live/:name<client\.[0-9a-z]+\.js>",
            get(assets::library_version),
        )
        .at(doctor::PATH, get(doctor::show_doctor))
        // API
        .nest(api::ADDRESS, api::endpoint(api, openapi.clone()))
        .at("/api/openapi.json", get(openapi.clone().into_json()))
        .at("/api/docs", get(openapi.into_page()))
        .at(api::live::SCHEMA_PATH, get(api::live::show_schema()))
        .at(
            api::live::ASYNCAPI_PATH,
            get(api::live::show_asyncapi(base_path)),
        )
        // Operation
        .at("/healthz", get(probes::health))
        .at(probes::ARRIVED, get(probes::show_arrived))
        .at("/readyz", get(probes::readiness))
        .at("/metrics", get(probes::show_metrics))
        .at("/assets/:hash/:name", get(assets::asset))
        .at("/assets/accent/:name", get(assets::accent))
        .at("/assets/logo/:name", get(assets::logo))
        .at("/assets/activities/:name", get(assets::activities))
        .at("/favicon.ico", get(assets::icon))
        .at("/manifest.webmanifest", get(offline::manifest))
        .at("/service-worker.js", get(offline::worker))
        .at("/offline", get(offline::show_offline))
        .at("/robots.txt", get(crawlers::show_robots))
        .at("/sitemap.xml", get(crawlers::show_sitemap))
}
