//! The places at which a private pet could leak.

/// A place: a request about a pet, or about all of them.
#[derive(Clone, Copy)]
pub struct Place {
    pub name: &'static str,
    /// The method, or `WS` for a socket.
    pub method: &'static str,
    /// `{id}` is the pet, `{photo}` the name of its photo, `{old}` a cursor from before it came,
    /// `{now}` the newest that visitors know, `{today}` the date.
    pub path: &'static str,
    pub body: Body,
    /// A header: `{tag-before}` is the entity tag of the pet while it was public, `{tag-now}` the current
    /// one.
    pub header: Option<(&'static str, &'static str)>,
    /// What staff see of a private pet.
    pub staff: Seen,
    /// True if visitors see a public pet.
    pub shows_public: bool,
    /// True for the replay of a cursor from which on the pet became private: visitors are told that it is
    /// gone.
    pub tells_its_end: bool,
}

/// What readers see of a private pet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// No word of it, and no link to it.
    Nothing,
    /// Its name.
    Pet,
    /// Anything: the place changes something, or has words of its own.
    Unchecked,
}

/// The body of a request.
#[derive(Clone, Copy)]
pub enum Body {
    None,
    Json(&'static str),
    Form(&'static str),
    /// A message over a socket.
    Text(&'static str),
}

impl Body {
    pub fn text(&self) -> &'static str {
        match self {
            Body::None => "",
            Body::Json(text) | Body::Form(text) | Body::Text(text) => text,
        }
    }
}

impl Place {
    /// A request that shows a private pet to staff, unless another method says otherwise.
    const fn new(name: &'static str, method: &'static str, path: &'static str) -> Self {
        Place {
            name,
            method,
            path,
            body: Body::None,
            header: None,
            staff: Seen::Pet,
            shows_public: false,
            tells_its_end: false,
        }
    }

    const fn get(name: &'static str, path: &'static str) -> Self {
        Place::new(name, "GET", path)
    }

    const fn socket(name: &'static str, path: &'static str) -> Self {
        Place::new(name, "WS", path)
    }

    const fn with(self, body: Body) -> Self {
        Place { body, ..self }
    }

    const fn header(self, name: &'static str, value: &'static str) -> Self {
        let header = Some((name, value));
        Place { header, ..self }
    }

    const fn is_public(self) -> Self {
        let staff = Seen::Nothing;
        Place { staff, ..self }
    }

    const fn is_unchecked(self) -> Self {
        let staff = Seen::Unchecked;
        Place { staff, ..self }
    }

    const fn shows_public(self) -> Self {
        let shows_public = true;
        Place {
            shows_public,
            ..self
        }
    }

    const fn tells_its_end(self) -> Self {
        let tells_its_end = true;
        Place {
            tells_its_end,
            ..self
        }
    }

    pub fn is_of_one_pet(&self) -> bool {
        let texts = [self.path, self.body.text()];
        let names_it = |text: &&str| text.contains("{id}") || text.contains("{photo}");
        texts.iter().any(names_it)
    }
}

/// Every place.
#[rustfmt::skip]
pub const PLACES: &[Place] = &[
    Place::get("the index", "/pets").shows_public(),
    Place::new("the head of the index", "HEAD", "/pets").is_public(),
    Place::get("the index as a preview of links asks for it", "/pets?utm_source=x").shows_public(),
    Place::get("a search for its name", "/pets?q=zyxw"),
    Place::get("a search for another name", "/pets?q=MIS").is_unchecked().shows_public(),
    Place::get("a search for its kennel", "/pets?q=kennel%2013"),
    Place::get("the pets of its species", "/pets?species=quokka&sort=name"),
    Place::get("the pets with its status", "/pets?doing=bathing").is_unchecked(),
    Place::get("the pets by their last change", "/pets?sort=changed").shows_public(),
    Place::get("the private pets", "/pets?state=private"),
    Place::get("the pets in the order of their names", "/pets?sort=name").shows_public(),
    Place::get("a page beyond the last one", "/pets?page=99").is_unchecked(),
    Place::get("a search in the API", "/api/v1/pets?q=zyxw"),
    Place::get("the first page of the API", "/api/v1/pets?page=1").shows_public(),
    Place::get("the private pets of the API", "/api/v1/pets?state=private"),
    Place::get("the redirect to the index", "/").is_public(),
    Place::get("the page of the pet", "/pets/{id}").shows_public(),
    Place::new("the head of its page", "HEAD", "/pets/{id}").is_unchecked(),
    Place::get("its page with another spelling of the id", "/pets/0{id}").is_public(),
    Place::get("its page by its cursor", "/pets/{id}?since={old}").shows_public(),
    Place::get("the form that edits it", "/pets/{id}/edit").is_unchecked(),
    Place::get("its sheet to print", "/pets/{id}/print?as=poster"),
    Place::get("its history", "/pets/{id}/history"),
    Place::get("its day", "/pets/{id}/days/{today}").shows_public(),
    Place::get("a day before it came", "/pets/{id}/days/2020-02-03").shows_public(),
    Place::get("a day to come", "/pets/{id}/days/2999-02-03").is_unchecked(),
    Place::get("no day", "/pets/{id}/days/today").is_unchecked(),
    Place::get("its day if a cache has it", "/pets/{id}/days/{today}").header("if-none-match", "*").shows_public(),
    Place::get("its day in the API", "/api/v1/pets/{id}/days/{today}").is_unchecked(),
    Place::get("no day in the API", "/api/v1/pets/{id}/days/today").is_unchecked(),
    Place::new("saving an edit", "POST", "/pets/{id}").with(Body::Form("name=x&species=y")).is_unchecked(),
    Place::new("saving a wrong edit", "POST", "/pets/{id}").with(Body::Form("name=&species=")).is_unchecked(),
    Place::new("setting its status by form", "POST", "/pets/{id}/status").with(Body::Form("status=eating")).is_unchecked(),
    Place::new("setting its status with others' by form", "POST", "/pets/statuses").with(Body::Form("pet={id}&status=eating")).is_unchecked(),
    Place::new("undoing statuses with its by form", "POST", "/pets/statuses/undo").with(Body::Form("undo=many.eating.{old}.{old}")).is_unchecked(),
    Place::new("undoing its status by form", "POST", "/pets/{id}/status").with(Body::Form("status=eating&replaces={old}")).is_unchecked(),
    Place::new("removing it by form", "POST", "/pets/{id}/delete").with(Body::Form("")).is_unchecked(),
    Place::get("the index with a forged undo", "/pets").header("cookie", "pet-store-undo={id}.playing.0.{old}").is_unchecked().shows_public(),
    Place::new("signing in with an edit of it pending", "POST", "/sign-in").with(Body::Form("name=x&password=y&pending-action=/pets/{id}&pending=name%3Dx")).is_unchecked(),
    Place::new("signing in with a status of it pending", "POST", "/sign-in").with(Body::Form("name=x&password=y&pending-action=/pets/{id}/status&pending=status%3Deating")).is_unchecked(),
    Place::get("the form of an import", "/pets/import").is_unchecked(),
    Place::new("importing it", "POST", "/pets/import").with(Body::Form("text=name%0A{id}")).is_unchecked(),
    Place::get("the trash", "/trash").is_unchecked(),
    Place::get("the question before it is deleted", "/trash/{id}").is_unchecked(),
    Place::new("deleting it by form", "POST", "/trash/{id}").with(Body::Form("confirm=yes")).is_unchecked(),
    Place::new("restoring it by form", "POST", "/trash/{id}/restore").with(Body::Form("")).is_unchecked(),
    Place::get("the index with a forged removal", "/pets").header("cookie", "pet-store-done=pet-removed~{id}").is_unchecked().shows_public(),
    Place::get("the trash of the API", "/api/v1/trash").is_unchecked(),
    Place::new("restoring it over the API", "POST", "/api/v1/trash/{id}/restore").is_unchecked(),
    Place::new("deleting it over the API", "DELETE", "/api/v1/trash/{id}").is_unchecked(),
    Place::get("the file of all pets", "/pets/export.csv"),
    Place::new("the head of that file", "HEAD", "/pets/export.csv").is_unchecked(),
    Place::get("the list of the API", "/api/v1/pets").shows_public(),
    Place::new("the head of that list", "HEAD", "/api/v1/pets").is_public(),
    Place::get("the pet in the API", "/api/v1/pets/{id}").shows_public(),
    Place::new("its head in the API", "HEAD", "/api/v1/pets/{id}").is_unchecked(),
    Place::get("the pet if it changed since it was public", "/api/v1/pets/{id}").header("if-none-match", "{tag-before}").shows_public(),
    Place::get("the pet if it changed since now", "/api/v1/pets/{id}").header("if-none-match", "{tag-now}").is_unchecked().shows_public(),
    Place::get("the pet if it exists", "/api/v1/pets/{id}").header("if-none-match", "*").is_unchecked(),
    Place::new("the methods of the pet", "OPTIONS", "/api/v1/pets/{id}").is_public(),
    Place::get("its changes", "/api/v1/pets/{id}/changes").is_unchecked(),
    Place::get("a page of its changes", "/api/v1/pets/{id}/changes?limit=2&before=7").is_unchecked(),
    Place::new("editing it over the API", "PATCH", "/api/v1/pets/{id}").with(Body::Json(r#"{"age":"3"}"#)).is_unchecked(),
    Place::new("editing nothing of it", "PATCH", "/api/v1/pets/{id}").with(Body::Json("{}")).header("if-match", "{tag-now}").is_unchecked(),
    Place::new("removing it over the API", "DELETE", "/api/v1/pets/{id}").header("if-match", "{tag-before}").is_unchecked(),
    Place::new("setting its status over the API", "PUT", "/api/v1/pets/{id}/status").with(Body::Json(r#"{"status":"eating"}"#)).header("if-match", "{tag-before}").is_unchecked(),
    Place::get("its photo", "/photos/{photo}").is_unchecked(),
    Place::new("the head of its photo", "HEAD", "/photos/{photo}").is_unchecked(),
    Place::get("its photo if it changed", "/photos/{photo}").header("if-none-match", "*").is_unchecked(),
    Place::get("the page of its photos", "/pets/{id}/photos").is_unchecked(),
    Place::new("adding a photo by form", "POST", "/pets/{id}/photos").with(Body::Form("")).is_unchecked(),
    Place::new("arranging its photos by form", "POST", "/pets/{id}/photos/order").with(Body::Form("")).is_unchecked(),
    Place::new("adding a photo over the API", "POST", "/api/v1/pets/{id}/photos").is_unchecked(),
    Place::new("arranging its photos over the API", "PUT", "/api/v1/pets/{id}/photos").with(Body::Json(r#"{"photos":[]}"#)).header("if-match", "{tag-before}").is_unchecked(),
    Place::new("setting its status with a note", "PUT", "/api/v1/pets/{id}/status").with(Body::Json(r#"{"status":"eating","note":"with Biscuit","minutes_ago":0}"#)).header("if-match", "{tag-before}").is_unchecked(),
    Place::get("the state", "/live/state").is_public().shows_public(),
    Place::get("the state of the pet", "/live/state?pet={id}").is_public().shows_public(),
    Place::get("the state of the pet and another", "/live/state?pet={id}&pet=1").is_public().shows_public(),
    Place::get("the state since it was public", "/live/state?pet={id}").header("if-none-match", "{tag-before}").is_public().shows_public(),
    Place::get("the state by short polling", "/live/state?transport=short&since={old}").is_public().shows_public(),
    Place::get("a poll", "/live/poll?wait=0").is_public().shows_public(),
    Place::get("a poll for the pet", "/live/poll?wait=0&pet={id}").is_public().shows_public(),
    Place::get("a poll from an old cursor", "/live/poll?wait=0&since={old}").is_public().shows_public(),
    Place::get("a poll from an old cursor for the pet", "/live/poll?wait=0&since={old}&pet={id}").is_public().shows_public().tells_its_end(),
    Place::get("a poll in parts", "/live/poll/any?wait=0&parts=1").is_public().shows_public(),
    Place::get("the log", "/live/log?since={old}&slice=0&wait=0").is_public().shows_public(),
    Place::get("the log of the pet", "/live/log?pet={id}&since={old}&slice=0&wait=0").is_public().shows_public().tells_its_end(),
    Place::get("the way from the log to the newest state", "/live/log?pet={id}").is_public(),
    Place::get("the log from another store", "/live/log?pet={id}&since=00000000-7&slice=0&wait=0").is_public(),
    Place::get("a state from before it came", "/live/state/{old}").is_public(),
    Place::get("the newest state of the log", "/live/state/{now}").is_public().shows_public(),
    Place::get("the newest state of the log for the pet", "/live/state/{now}?pet={id}").is_public().shows_public(),
    Place::get("an event stream", "/live/sse?heartbeat=0.05").is_public().shows_public(),
    Place::get("an event stream for the pet", "/live/sse?heartbeat=0.05&pet={id}").is_public().shows_public(),
    Place::get("an event stream from an old cursor", "/live/sse?heartbeat=0.05&since={old}").is_public().shows_public(),
    Place::get("an event stream after an old event", "/live/sse?heartbeat=0.05&pet={id}").header("last-event-id", "{old}").is_public().shows_public().tells_its_end(),
    Place::socket("a socket", "/live/ws").is_public().shows_public(),
    Place::socket("a socket for the pet", "/live/ws?pet={id}").is_public().shows_public(),
    Place::socket("a socket from an old cursor", "/live/ws?since={old}").is_public().shows_public(),
    Place::new("setting its status with others' over the API", "POST", "/api/v1/statuses").with(Body::Json(r#"{"status":"eating","pets":[{id}]}"#)).is_unchecked(),
    Place::socket("a command over a socket", "/live/ws?pet={id}").with(Body::Text(r#"{"do":"set-status","pet":{id},"status":"eating"}"#)).is_unchecked(),
    Place::socket("a command that replaces a status", "/live/ws?pet={id}").with(Body::Text(r#"{"do":"set-status","pet":{id},"status":"eating","expected":"{old}"}"#)).is_unchecked(),
    Place::get("the screen in the lobby", "/board").is_public().shows_public(),
    Place::get("a slide of that screen", "/board?slide=1").is_public().shows_public(),
    Place::get("the frame of the pet", "/embed/pets/{id}").is_public().shows_public(),
    Place::get("the page that shares the pet", "/pets/{id}/share").is_public().shows_public(),
    Place::get("the badge of the pet", "/pets/{id}/badge.svg").is_public().shows_public(),
    Place::get("the picture of the pet", "/pets/{id}/live.png").is_public(),
    Place::get("the series of its pictures", "/pets/{id}/live.png?series").is_public(),
    Place::get("the description of its frame", "/oembed?url=https://pets.example/pets/{id}").is_public().shows_public(),
    Place::get("the frame of all pets", "/embed/board").is_public().shows_public(),
    Place::get("the sitemap", "/sitemap.xml").is_public().shows_public(),
    Place::get("the rules for search engines", "/robots.txt").is_public(),
    Place::get("the metrics", "/metrics").is_unchecked(),
    Place::get("the activity log", "/audit").is_unchecked(),
    Place::get("the OpenAPI document", "/api/openapi.json").is_unchecked(),
    Place::get("the smallest live page", "/hello").is_public(),
    Place::get("the network doctor", "/live/doctor").is_public(),
    Place::get("an address below the pet", "/pets/{id}/nothing").is_public(),
];
