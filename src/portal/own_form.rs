//! A form of one of our own pages, and whoever sent it.

use super::intake::{Form, Received};
use super::pages::Page;
use super::{Portal, Visit};

impl Portal {
    /// The form, where it was [meant](Portal::meant) for that deed; else the page that says why it is not taken.
    pub(super) async fn own_form(
        &self,
        visit: &Visit<'_>,
        received: &Received,
        deed: impl FnOnce(&Form) -> String,
    ) -> Result<Form, Page> {
        let form = received.form().unwrap_or_default();
        self.meant(visit, received, (&deed(&form), &form.token)).await?;
        Ok(form)
    }
}
