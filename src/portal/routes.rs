//! Who answers which line of the table, and what must hold before.

use http::{Method, StatusCode, header};

use super::inbox::Verb;
use super::intake::Received;
use super::openapi::{self, Call, Found};
use super::pages::{self, Page, Problem, see_other};
use super::recalls::Recalls;
use super::table::{self, Does, Shows};
use super::{Portal, Visit, api, provenance, revocations, wanted};
use crate::audit::Topic;
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
        if visit.token.is_some() {
            let words = &self.words.tokens;
            return self.note(StatusCode::FORBIDDEN, words.not_good_title, words.no_pages);
        }
        if !provenance::may_open(&received.headers) {
            return self.note(StatusCode::FORBIDDEN, self.words.form_over_title, self.words.form_over);
        }
        let Some(visitor) = visit.visitor() else {
            let text = (self.words.not_known)(visit.subject.id.as_str());
            return self.note(StatusCode::FORBIDDEN, self.words.not_known_title, &text);
        };
        let page = table::page(received.path()).filter(|_| reads);
        let sent = table::form(received.path()).filter(|_| received.method == Method::POST);
        let page_recalls = page.map(|(shows, _)| Recalls::of_page(shows));
        let recalls = page_recalls.or_else(|| sent.map(|(does, _)| Recalls::of_form(does)));
        self.recollects(visit, recalls.unwrap_or(Recalls::Nothing)).await;
        self.notice_own_lapses(visit).await;
        if reads {
            return self.show_person(visit, visitor, (received, page)).await;
        }
        match sent {
            Some(sent) => self.take_form(visit, visitor, received, sent).await,
            None => self.nothing_here(),
        }
    }

    async fn take_form(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
        (does, id): (Does, &str),
    ) -> Page {
        match does {
            Does::Declare => self.declare(visit, visitor, received).await,
            Does::State => self.state_by_form(visit, visitor, received, id).await,
            Does::BeUrgent => self.urgent_by_form(visit, visitor, received).await,
            Does::BreakGlass => self.break_glass_by_form(visit, visitor, received).await,
            Does::Review => self.review_by_form(visit, visitor, received, id).await,
            Does::GoOn => self.go_on_by_form(visit, visitor, received).await,
            Does::End => self.end_by_form(visit, visitor, received, id).await,
            Does::Report => self.report_by_form(visit, visitor, received, id).await,
            Does::Renew => self.renew_by_form(visit, visitor, received, id).await,
            Does::Revoke => self.revoke_by_form(visit, visitor, received).await,
            Does::Delegate => self.delegate_by_form(visit, visitor, received).await,
            Does::TakeBack => self.take_back_by_form(visit, visitor, received, id).await,
            Does::MakeToken => self.make_token_by_form(visit, visitor, received).await,
            Does::RevokeToken => self.revoke_token_by_form(visit, visitor, received, id).await,
            Does::SignIn => self.sign_in(visit, visitor, received).await,
            Does::SignOut => self.sign_out(visit, received).await,
            Does::Approve => self.answer_by_form(visit, visitor, received, (Verb::Approve, id)).await,
            Does::Decline => self.answer_by_form(visit, visitor, received, (Verb::Decline, id)).await,
        }
    }

    async fn show_person(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (received, page): (&Received, Option<(Shows, &str)>),
    ) -> Page {
        let Some((shows, named)) = page else {
            return self.nothing_here();
        };
        match shows {
            Shows::Mine => self.mine(visit, visitor, received),
            Shows::Purpose => self.purpose_page(visit, visitor, named),
            Shows::Urgent => self.urgent_page(visit, visitor),
            Shows::RefusalByTicket => self.by_ticket(visit, visitor, named).await,
            Shows::Refusal => self.by_record(visit, visitor, named),
            Shows::Granted => self.granted(visit, visitor, named),
            Shows::Inbox => self.inbox(visit, visitor, received).await,
            Shows::Delegations => self.delegations(visit, visitor, received).await,
            Shows::Others => self.others(visit, visitor, received).await,
            Shows::Revoke => self.revoke_page(visit, visitor, received).await,
            Shows::Grant => self.grant_page(visit, visitor, named),
            Shows::Decisions => match wanted::topic(received) {
                None | Some(Ok(Topic::Flows)) => self.decisions_page(visit, visitor, received).await,
                Some(_) => self.book_page(visit, visitor, received).await,
            },
            Shows::Decision => self.decision_page(visit, visitor, (received, named)).await,
            Shows::Open => self.open_page(visit, visitor, received).await,
            Shows::Health => self.health_page(visit, visitor).await,
            Shows::Rulebook => self.rulebook_page(visit, visitor, received).await,
            Shows::PastRulebook => self.past_rulebook_page(visit, visitor, named).await,
            Shows::Value => self.value_page(visit, visitor, received).await,
            Shows::ValueCsv => self.value_csv(visit, visitor, received).await,
            Shows::PurposeValue => self.purpose_value_page(visit, visitor, (received, named)).await,
            Shows::Privacy => self.privacy_page(visit, visitor).await,
            Shows::Tokens => self.token_page(visit, visitor, received).await,
            Shows::SignIn => self.sign_in_page(visit, visitor, received),
        }
    }

    pub(super) fn nothing_here(&self) -> Page {
        self.note(StatusCode::NOT_FOUND, self.words.not_here_title, self.words.not_here)
    }

    pub(super) async fn serve_tool(&self, visit: &Visit<'_>, received: &Received) -> Page {
        if let Some(foreign) = self.foreign(received) {
            return foreign;
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
        let path = received.path().strip_prefix("/v1").unwrap_or_default();
        let found = openapi::found(received.method.as_str(), path);
        if let Found::Call(call, _) = found {
            self.recollects(visit, Recalls::of_call(call)).await;
        }
        self.notice_own_lapses(visit).await;
        match found {
            Found::Call(call, named) => match self.begin(visit, received, call).await {
                Ok(once) => {
                    let once = once.as_ref().map(|(once, _)| once);
                    let visit = Visit { once, ..*visit };
                    self.answer_call(&visit, visitor, received, (call, named)).await
                }
                Err(answer) => answer,
            },
            Found::Otherwise(allowed) => wrong_method(&allowed),
            Found::Nowhere => {
                api::not_found("There is no such address under /v1; GET /v1/openapi.json lists those that there are.")
            }
        }
    }

    /// The answer to a call that another site's page made.
    pub(super) fn foreign(&self, received: &Received) -> Option<Page> {
        let unsafe_method = !received.method.is_safe();
        let why = provenance::may_call(&received.headers, &self.origin, unsafe_method).err()?;
        let title = "The call did not come from this portal or a tool";
        let problem = Problem::new(StatusCode::FORBIDDEN, "foreign-origin", title, why);
        Some(problem.in_english().answer())
    }

    async fn answer_call(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
        (call, named): (Call, &str),
    ) -> Page {
        let channel = api::channel(received);
        match call {
            Call::ListGrants if revocations::is_about_others(received) => {
                self.list_revocable(visit, visitor, received).await
            }
            Call::ListGrants => self.list_grants(visit, visitor, received),
            Call::Declare => self.post_grant(visit, visitor, received).await,
            Call::ShowGrant => self.show_grant(visit, visitor, named, channel),
            Call::EndGrant => self.delete_grant(visit, visitor, named, received).await,
            Call::Renew => self.renew_by_call(visit, visitor, received, named).await,
            Call::Approve => self.approve_by_call(visit, visitor, received, named).await,
            Call::Decline => self.decline_by_call(visit, visitor, received, named).await,
            Call::Review => self.review_by_call(visit, visitor, received, named).await,
            Call::BreakGlass => self.post_emergency(visit, visitor, received).await,
            Call::Revoke => self.post_revocation(visit, visitor, received).await,
            Call::ListApprovals => self.list_approvals(visit, visitor, received),
            Call::ListReviews => self.list_reviews(visit, visitor, received),
            Call::ShowDecision => self.show_decision(visit, visitor, (received, named)).await,
            Call::Continue => self.go_on_by_call(visit, visitor, (named, channel)).await,
            Call::ListDecisions => self.list_some_decisions(visit, visitor, received).await,
            Call::ListRecords => self.list_records(visit, visitor, received).await,
            Call::ListOpen => self.list_open(visit, visitor, received).await,
            Call::Explain => self.explain_to_tool(visit, visitor, received),
            Call::Matrix => self.show_matrix(visit, visitor, received).await,
            Call::ListPurposes => self.list_purposes(visit, visitor, received),
            Call::ListTokens => self.list_tokens(visit, visitor, received),
            Call::MakeToken => self.post_token(visit, visitor, received).await,
            Call::RevokeToken => self.delete_token(visit, visitor, named).await,
            Call::Document => pages::plain(StatusCode::OK, "application/json", openapi::document(&self.origin)),
            Call::ReportOutcome => self.report_by_call(visit, visitor, received, named).await,
            Call::ListDelegations => self.list_delegations(visit, visitor, received),
            Call::Delegate => self.post_delegation(visit, visitor, received).await,
            Call::ShowDelegation => self.show_delegation(visit, visitor, named),
            Call::EndDelegation => self.delete_delegation(visit, visitor, named).await,
            Call::ShowValue => self.list_value(visit, visitor, received).await,
            Call::ShowPrivacy => self.show_privacy(visit, visitor).await,
        }
    }
}

fn wrong_method(allowed: &str) -> Page {
    let detail = format!("This address answers {allowed}.");
    let title = "The method does not fit the address";
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", title, &detail);
    let mut page = problem.in_english().answer();
    if let Ok(value) = header::HeaderValue::from_str(allowed) {
        page.headers_mut().insert(header::ALLOW, value);
    }
    page
}
