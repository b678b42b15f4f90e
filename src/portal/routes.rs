//! What the portal answers where: one route a line.

use http::{Method, StatusCode, header};

use super::inbox::Verb;
use super::intake::Received;
use super::pages::{Page, Problem, see_other};
use super::{Portal, Visit, api, provenance, revocations};
use crate::rulebook::Visitor;

impl Portal {
    pub(super) async fn serve_person(&self, visit: &Visit<'_>, received: &Received) -> Page {
        let reads = received.method == Method::GET || received.method == Method::HEAD;
        if reads && !visit.secure {
            // Browsers tell where a request comes from only on secure origins; forms are served on nothing else.
            return see_other(&format!("{}{}", self.origin, received.target()));
        }
        if let Some(page) = self.chose_language(received).filter(|_| reads) {
            return page;
        }
        if !provenance::may_open(&received.headers) {
            return self.note(StatusCode::FORBIDDEN, self.words.form_over_title, self.words.form_over);
        }
        let Some(visitor) = visit.visitor() else {
            let text = (self.words.not_known)(visit.subject.id.as_str());
            return self.note(StatusCode::FORBIDDEN, self.words.not_known_title, &text);
        };
        self.notice_own_lapses(visit).await;
        if reads {
            return self.show_person(visit, visitor, received).await;
        }
        let segments: Vec<&str> = received.path().split('/').skip(1).collect();
        match (received.method.as_str(), segments.as_slice()) {
            ("POST", ["declare"]) => self.declare(visit, visitor, received).await,
            ("POST", ["break-glass"]) => self.break_glass_by_form(visit, visitor, received).await,
            ("POST", ["approvals", id, "review"]) => self.review_by_form(visit, visitor, received, id).await,
            ("POST", ["continue"]) => self.go_on_by_form(visit, visitor, received).await,
            ("POST", ["grants", id, "end"]) => self.end_by_form(visit, visitor, received, id).await,
            ("POST", ["grants", id, "outcome"]) => self.report_by_form(visit, visitor, received, id).await,
            ("POST", ["grants", id, "renew"]) => self.renew_by_form(visit, visitor, received, id).await,
            ("POST", ["grants", "revoke"]) => self.revoke_by_form(visit, visitor, received).await,
            ("POST", ["delegations"]) => self.delegate_by_form(visit, visitor, received).await,
            ("POST", ["delegations", id, "end"]) => self.take_back_by_form(visit, visitor, received, id).await,
            ("POST", ["sign-in"]) => self.sign_in(visit, visitor, received).await,
            ("POST", ["sign-out"]) => self.sign_out(visit, received),
            ("POST", ["approvals", id, "approve"]) => {
                self.answer_by_form(visit, visitor, received, (Verb::Approve, id)).await
            }
            ("POST", ["approvals", id, "decline"]) => {
                self.answer_by_form(visit, visitor, received, (Verb::Decline, id)).await
            }
            _ => self.nothing_here(),
        }
    }

    async fn show_person(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let segments: Vec<&str> = received.path().split('/').skip(1).collect();
        match segments.as_slice() {
            [""] => self.mine(visit, visitor, received),
            ["d", ticket] => self.by_ticket(visit, visitor, ticket),
            ["refusals", record] => self.by_record(visit, visitor, record),
            ["refusals", record, "granted"] => self.granted(visit, visitor, record),
            ["approvals"] => self.inbox(visit, visitor, received),
            ["delegations"] => self.delegations(visit, visitor, received),
            ["grants"] => self.others(visit, visitor, received).await,
            ["grants", "revoke"] => self.revoke_page(visit, visitor, received).await,
            ["grants", id] => self.grant_page(visit, visitor, id),
            ["value"] => self.value_page(visit, visitor, received).await,
            ["value.csv"] => self.value_csv(visit, visitor, received).await,
            ["value", id] => self.purpose_value_page(visit, visitor, (received, id)).await,
            ["sign-in"] => self.sign_in_page(visit, visitor, received),
            _ => self.nothing_here(),
        }
    }

    pub(super) fn nothing_here(&self) -> Page {
        self.note(StatusCode::NOT_FOUND, self.words.not_here_title, self.words.not_here)
    }

    pub(super) async fn serve_tool(&self, visit: &Visit<'_>, received: &Received) -> Page {
        let unsafe_method = !received.method.is_safe();
        if let Err(why) = provenance::may_call(&received.headers, &self.origin, unsafe_method) {
            let title = "The call did not come from this portal or a tool";
            let problem = Problem::new(StatusCode::FORBIDDEN, "foreign-origin", title, why);
            return problem.in_english().answer();
        }
        let Some(visitor) = visit.visitor() else {
            let text = (self.words.not_known)(visit.subject.id.as_str());
            return Problem::new(
                StatusCode::FORBIDDEN,
                "person-unknown",
                self.words.not_known_title,
                &text,
            )
            .answer();
        };
        self.notice_own_lapses(visit).await;
        let segments: Vec<&str> = received.path().split('/').skip(2).collect();
        let method = received.method.as_str();
        match (method, segments.as_slice()) {
            ("GET" | "HEAD", ["grants"]) if revocations::is_about_others(received) => {
                self.list_revocable(visit, visitor, received).await
            }
            ("GET" | "HEAD", ["grants"]) => self.list_grants(visit, visitor),
            ("POST", ["revocations"]) => self.post_revocation(visit, visitor, received).await,
            ("POST", ["break-glass"]) => self.post_emergency(visit, visitor, received).await,
            ("GET" | "HEAD", ["reviews"]) => self.list_reviews(visit, visitor, api::channel(received)),
            ("POST", ["grants", id, "review"]) => self.review_by_call(visit, visitor, received, id).await,
            ("POST", ["grants"]) => self.post_grant(visit, visitor, received).await,
            ("GET" | "HEAD", ["grants", id]) => self.show_grant(visit, visitor, id, api::channel(received)),
            ("DELETE", ["grants", id]) => self.delete_grant(visit, visitor, id, received).await,
            ("GET" | "HEAD", ["decisions", record]) => self.show_decision(visit, visitor, record),
            ("POST", ["decisions", record, "continue"]) => {
                self.go_on_by_call(visit, visitor, (record, api::channel(received)))
                    .await
            }
            ("POST", ["grants", id, "renew"]) => self.renew_by_call(visit, visitor, received, id).await,
            ("POST", ["grants", id, "outcome"]) => self.report_by_call(visit, visitor, received, id).await,
            ("POST", ["grants", id, "approve"]) => self.approve_by_call(visit, visitor, received, id).await,
            ("POST", ["grants", id, "decline"]) => self.decline_by_call(visit, visitor, received, id).await,
            ("GET" | "HEAD", ["approvals"]) => self.list_approvals(visit, visitor, api::channel(received)),
            ("GET" | "HEAD", ["delegations"]) => self.list_delegations(visit, visitor),
            ("POST", ["delegations"]) => self.post_delegation(visit, visitor, received).await,
            ("GET" | "HEAD", ["delegations", id]) => self.show_delegation(visit, visitor, id),
            ("DELETE", ["delegations", id]) => self.delete_delegation(visit, visitor, id).await,
            ("GET" | "HEAD", ["value"]) => self.list_value(visit, visitor, received).await,
            ("GET" | "HEAD", ["purposes"]) => self.list_purposes(visit, visitor),
            (_, ["grants" | "delegations"]) => wrong_method("GET, HEAD, POST"),
            (_, ["grants" | "delegations", _]) => wrong_method("GET, HEAD, DELETE"),
            (
                _,
                ["decisions", _, "continue"]
                | ["grants", _, "approve" | "decline" | "outcome" | "renew" | "review"]
                | ["revocations" | "break-glass"],
            ) => wrong_method("POST"),
            (_, ["decisions", _] | ["purposes" | "approvals" | "reviews" | "value"]) => wrong_method("GET, HEAD"),
            _ => api::not_found("There is no such address under /v1."),
        }
    }
}

fn wrong_method(allowed: &'static str) -> Page {
    let detail = format!("This address answers {allowed}.");
    let title = "The method does not fit the address";
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", title, &detail);
    let mut page = problem.in_english().answer();
    let value = header::HeaderValue::from_static(allowed);
    page.headers_mut().insert(header::ALLOW, value);
    page
}
