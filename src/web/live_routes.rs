//! The live routes. How each transport watches is the business of `live`.

use std::sync::Arc;

use poem::web::Data;
use poem::{Request, Response, handler};

use crate::live::{self, Live};

#[handler]
pub fn over_ws(Data(live): Data<&Arc<Live>>, request: &Request) -> poem::Result<Response> {
    Ok(live::ws(live, request)?)
}

#[handler]
pub async fn over_sse(Data(live): Data<&Arc<Live>>, request: &Request) -> poem::Result<Response> {
    Ok(live::sse(live, request).await?)
}

#[handler]
pub async fn by_polling(Data(live): Data<&Arc<Live>>, request: &Request) -> poem::Result<Response> {
    Ok(live::poll(live, request).await?)
}

#[handler]
pub async fn read_state(Data(live): Data<&Arc<Live>>, request: &Request) -> poem::Result<Response> {
    Ok(live::state(live, request).await?)
}
