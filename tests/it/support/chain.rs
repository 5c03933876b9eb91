//! A client that notices when a message is missing, as `docs/api.md` describes it.

use serde_json::Value;

use super::rev_of;

/// What a client has received on one connection.
#[derive(Clone)]
pub struct Chain {
    /// `None` before the first snapshot of a client without a cursor.
    reached: Option<String>,
}

impl Chain {
    /// Starts with the cursor of the request.
    pub fn new(since: Option<&str>) -> Self {
        Chain {
            reached: since.map(str::to_owned),
        }
    }

    /// Receives the next message.
    ///
    /// # Errors
    /// With an explanation, if a message before it is missing.
    pub fn receive(&mut self, message: &Value) -> Result<(), String> {
        let text = |name: &str| message[name].as_str();
        match message["type"].as_str().unwrap() {
            // The last part has the whole.
            "snapshot" if message["part"] != message["parts"] => return Ok(()),
            "snapshot" => {}
            "status" | "pet" | "gone" | "heartbeat" => {
                let after = text("after").expect("each of these names the one before it");
                let is_reached = self.reached.as_deref().is_some_and(|reached| {
                    reached[..8] == after[..8] && rev_of(reached) >= rev_of(after)
                });
                if !is_reached {
                    return Err(format!("{:?} has not reached {message}", self.reached));
                }
            }
            _ => {
                assert!(message.get("after").is_none(), "{message}");
                return Ok(());
            }
        }
        self.reached = text("cursor").map(str::to_owned);
        Ok(())
    }
}

/// Returns a message without `after`, which depends on the viewer.
pub fn without_after(message: &Value) -> Value {
    let mut message = message.clone();
    message.as_object_mut().unwrap().remove("after");
    message
}
