//! Coming in with a link: the one of the first start, or an invitation. Whoever opens it chooses a
//! password and is signed in.

use super::{SignInError, StaffAuth};
use crate::auth::directory::author;
use crate::auth::password::Slots;
use crate::auth::secret::Secret;
use crate::model::AccountName;

impl StaffAuth {
    /// The secret of the founding link, the first time it is asked for; none where there are
    /// accounts.
    pub fn take_bootstrap_token(&self) -> Option<Secret> {
        let mut untold = self.untold.lock().expect("no holder of this lock panics");
        untold.take()
    }

    /// Whether `secret` is the founding link's and nobody used it yet.
    pub fn is_bootstrap_token(&self, secret: &Secret) -> bool {
        let founding = self.founding.as_ref();
        founding.is_some_and(|founding| founding.is_opened_by(secret)) && self.directory.is_empty()
    }

    /// Makes the first admin, and signs them in.
    ///
    /// # Errors
    /// 404 when somebody was faster.
    pub async fn found(
        &self,
        name: &AccountName,
        password: &str,
        client: &str,
    ) -> Result<Secret, SignInError> {
        let hash = self
            .passwords
            .hash(Slots::Everyone, password.to_owned())
            .await?;
        let author = author(name, client);
        let (founder, known) = (name.clone(), hash.clone());
        let founding = self.edit(move |directory| directory.found(&founder, hash, &author));
        founding.await?;
        self.begin(name.clone(), known, client.to_owned(), None)
            .await
    }

    /// Gives the owner of an invitation a password, and signs them in.
    ///
    /// # Errors
    /// 404 when it was used, or has expired meanwhile.
    pub async fn accept(
        &self,
        invitation: &Secret,
        name: &AccountName,
        password: &str,
        client: &str,
    ) -> Result<Secret, SignInError> {
        let hash = self
            .passwords
            .hash(Slots::Everyone, password.to_owned())
            .await?;
        let (key, known, author) = (invitation.key(), hash.clone(), author(name, client));
        let accepting = self.edit(move |directory| directory.accept(&key, hash, &author));
        let name = accepting.await?;
        self.begin(name, known, client.to_owned(), None).await
    }
}
