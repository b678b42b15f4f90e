//! A form of one of our own pages, and whoever sent it: the one place that says what makes it theirs.

use http::StatusCode;

use super::intake::{Form, Received};
use super::pages::Page;
use super::{Portal, Visit, provenance};

impl Portal {
    /// The form, where a page of ours sent it over a way that nobody reads, with the token that the person was given for that
    /// deed; else the page that says that it counts no more.
    pub(super) fn own_form(
        &self,
        visit: &Visit<'_>,
        received: &Received,
        deed: impl FnOnce(&Form) -> String,
    ) -> Result<Form, Page> {
        let form = received.form().unwrap_or_default();
        let own = visit.secure && provenance::is_own_form(&received.headers, &self.origin);
        let accepts = || {
            self.tokens
                .accept(&visit.subject.id, &deed(&form), &form.token, visit.at)
        };
        if own && accepts() {
            return Ok(form);
        }
        let words = self.words;
        Err(self.note(StatusCode::FORBIDDEN, words.form_over_title, words.form_over))
    }
}
