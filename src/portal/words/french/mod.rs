//! The words in French, as an office writes to the public today. The spaces before `:`, `;`, `?` and `!` and inside `« »`
//! do not break: a test says so.

mod answers;
mod book;
mod chain;
mod decisions;
mod delegation;
mod emergency;
mod explained;
mod fault;
mod health;
mod history;
mod open;
mod outcome;
mod parts;
mod privacy;
mod proofs;
mod refusal;
mod rulebook;
mod stating;
mod tokens;
mod unfit;
mod value;

use super::Words;
use crate::facts::Language;
use parts::{at, both, counted, either, span, until};
use refusal::{activity, approval, detail, fix, groups, heading, selected};

/// French.
pub const FRENCH: Words = Words {
    language: Language::Fr,
    product: "wayleave",
    colon: " : ",
    semicolon: " ; ",
    clock: parts::clock,
    calendar: parts::calendar,
    day: parts::day,
    languages: "Langue",
    skip: "Aller au contenu",

    heading,
    tried: |activity, place| format!("Vous vouliez {activity} sur {place}."),
    activity,
    groups,
    list: both,
    effect: |groups, place, lasts| format!("Vous pourriez {groups} sur {place} pendant {}.", span(lasts)),
    approval,
    fix,
    selected,
    alternative: |text| format!("À la place : {text}"),
    expired: |purpose, when, unused| {
        let why = unused.map_or_else(String::new, |idle| {
            format!(", faute d’avoir servi pendant {}", span(idle))
        });
        format!(
            "Votre motif « {purpose} » a pris fin {}{why}. Vous pouvez le déclarer de nouveau.",
            at(when)
        )
    },
    detail,
    no_reason: "Aucune règle ne l’autorise.",
    no_reason_to_continue: "Aucune règle ne l’autorise, mais aucune ne s’y oppose fermement.",
    opens_for_a_purpose: "L’accès vous est ouvert dès que vous indiquez pourquoi vous en avez besoin.",
    held_opens_not: "Ce que vous détenez pour cette plateforme ne le permet pas\u{a0}; un autre motif le permettrait.",
    opens_once_approved: "L’accès vous est ouvert dès que quelqu’un a approuvé ce pour quoi vous en avez besoin.",
    rules_failed: "Une règle n’a pas pu être évaluée et, dans le doute, l’accès est refusé. L’assistance informatique peut voir laquelle.",
    not_listed: "L’annuaire ne contient pas le nom sous lequel vous avez ouvert la session. Demandez à l’assistance informatique de l’ajouter.",
    would_help: "Ce qui permettrait l’accès",
    nothing_was_sent: "Rien n’a été envoyé au site.",
    go_back_after_declaring: "Rien n’a été envoyé au site. Indiquez votre motif, puis revenez et envoyez de nouveau.",
    link_to_declare: "Indiquer votre motif",
    link_to_explain: "Voir pourquoi, et ce qui vous est ouvert",
    link_to_ask: "Demander un accord",
    waits: answers::waits,
    link_to_continue: "Voir pourquoi, et continuer",
    reference: "Référence",
    rules: "Règles en vigueur",

    choose_purpose: "Pour quel motif ?",
    statement: "En une phrase : pourquoi en avez-vous besoin ?",
    statement_hint: stating::statement_hint,
    ticket: "Ticket",
    ticket_needed: |example| format!("Demande un ticket, par exemple {example}."),
    ticket_hint: |needed_for, examples| match (needed_for, examples) {
        ([], examples) => format!("S’il y en a un, par exemple {}.", either(examples)),
        (needed_for, _) => format!("Nécessaire pour {}.", either(needed_for)),
    },
    must_approve: answers::must_approve,
    declare_and_continue: "Déclarer et continuer",
    ask_for_approval: "Demander un accord",
    declare_or_ask: "Déclarer, ou demander un accord",
    was_asked: answers::was_asked,
    nobody_approves: answers::nobody_approves,
    needs_approval_title: |purpose| format!("« {purpose} » demande d’abord un accord"),
    once_approved: |effect, lasts| format!("{effect}, pendant {} à compter de l’accord", span(lasts)),
    statement_given: "Pourquoi vous en avez besoin",
    look_again: "Vérifier de nouveau",
    what_is_kept: "Votre déclaration est conservée avec votre nom, et la personne qui répond du motif peut la lire. Vous pouvez y mettre fin à tout moment.",
    not_granted: "Rien n’est encore accordé.",
    choose_one: "Choisissez un motif.",
    unfit: unfit::unfit,
    unfit_title: "La déclaration ne convient pas",
    unfit_detail: |said| crate::portal::intake::sentence(&format!("Rien n’a été accordé\u{a0}: {said}")),
    not_declared_title: "Les règles ne vous permettent pas cette déclaration",
    not_declared: answers::not_declared,
    too_many_title: "Vous avez le nombre maximal d’autorisations",
    too_many: |held| {
        format!(
            "Vous avez déjà {} en cours : une même personne ne peut pas en avoir davantage. Mettez d’abord fin à l’une d’elles.",
            counted(held, "autorisation", "autorisations")
        )
    },
    too_many_waiting_title: "Vous avez le nombre maximal de demandes en attente",
    too_many_waiting: |waiting| {
        format!(
            "Vous avez déjà {} en attente d’une réponse : une même personne ne peut pas en avoir davantage. Annulez-en d’abord une.",
            counted(waiting, "demande", "demandes")
        )
    },
    no_purpose_helps: "Aucun motif ne permet l’accès.",
    already_allowed_title: "L’accès est maintenant ouvert",
    already_allowed: "Depuis le refus, vous avez indiqué un motif, ou les règles ont changé.",
    granted_until: |end| format!("Accordé {}", until(end)),
    go_on_to: |host| format!("Continuer vers {host}"),
    go_back_and_try_again: "Revenez sur le site et réessayez.",
    grant: "Autorisation",

    continue_anyway: "Continuer",
    continue_hint: |lasts| {
        format!(
            "Vous pouvez tout de même continuer. Le fait est conservé avec votre nom ; pendant {}, la question ne vous sera plus posée.",
            span(lasts)
        )
    },
    tools_may_continue: "Vous pouvez tout de même continuer : envoyez un POST à l’adresse donnée par `continue`.",
    continued: "Accès poursuivi après lecture des raisons",
    continued_until: |end| format!("Vous pouvez continuer {}", until(end)),
    not_continued_title: "Vous ne pouvez pas passer outre",
    not_continued: "Une règle l’interdit fermement, ou les règles ont changé entre-temps.",

    my_page: "Ma page",
    see_my_page: "Voir mes motifs et les refus récents",
    signed_in_as: "Session ouverte pour",
    greeting: |name| format!("Bonjour {name}"),
    about: answers::about,
    my_purposes: "Mes motifs en cours",
    no_purposes: "Aucun en ce moment. Quand un site demande un motif, la question vous est posée.",
    left: |left, end, unused| {
        let left = format!("Encore {}, {}", span(left), until(end));
        match unused {
            Some(unused) => format!(
                "{left} ; moins si vous ne l’utilisez pas pendant encore {}",
                span(unused)
            ),
            None => left,
        }
    },
    where_and_what: |places, groups| format!("{} : {groups}", both(places)),
    end: "Mettre fin",
    ended: "C’est terminé. Ce motif n’ouvre plus rien.",
    chain: chain::CHAIN,
    delegation: delegation::DELEGATION,
    emergency: emergency::EMERGENCY,
    stating: stating::STATING,
    proofs: proofs::PROOFS,
    tokens: tokens::TOKENS,
    history: history::HISTORY,
    outcome: outcome::OUTCOME,
    privacy: privacy::PRIVACY,
    value: value::VALUE,
    decisions: decisions::DECISIONS,
    book: book::BOOK,
    explained: explained::EXPLAINED,
    health: health::HEALTH,
    open: open::OPEN,
    rulebook: rulebook::RULEBOOK,
    renew: "Renouveler",
    renewed: "C’est renouvelé. Le motif ouvre la même chose qu’avant, à partir de maintenant.",
    renewal_asked: "La demande est renouvelée : il faut d’abord un accord.",
    my_ended: "Terminés depuis hier",
    ended_at: |when, unused| match unused {
        Some(idle) => format!("A pris fin {}, faute d’avoir servi pendant {}", at(when), span(idle)),
        None => format!("A pris fin {}", at(when)),
    },
    renew_over_title: "Ce motif ne peut pas être renouvelé",
    renew_over: "Seul peut être renouvelé ce qui est en cours, ou qui a pris fin de lui-même au cours des dernières 24 heures. Indiquez de nouveau votre motif.",
    not_renewed_title: "Ce motif ne peut pas être renouvelé tel quel",
    to_answer: |count| match count {
        1 => "1\u{a0}demande attend votre réponse".to_owned(),
        count => format!("{} attendent votre réponse", counted(count, "demande", "demandes")),
    },
    my_requests: "Mes demandes en attente d’une réponse",
    take_back: "Annuler la demande",
    my_answers: "Réponses des derniers jours",
    was_approved: |by, when, end| format!("Demande approuvée par {by} {}, {}.", at(when), until(end)),
    was_declined: |by, when| format!("Demande refusée par {by} {}.", at(when)),
    was_silent: answers::was_silent,
    recent_refusals: "Refus récents",
    connected: |place| format!("Vous vouliez vous connecter à {place}."),
    no_refusals: "Aucun au cours des dernières 24\u{a0}heures.",
    what_i_may_declare: "Motifs qui me sont ouverts",
    from_tools: "Depuis des scripts et des outils",
    from_tools_how: "Donnez à HTTPS_PROXY l’adresse du proxy, sous la forme http://NOM:MOTDEPASSE@HOTE:PORT, et à WAYLEAVE_CA le fichier du certificat racine de la passerelle. Indiquez ensuite un motif en ligne de commande, ou par un seul appel à travers le proxy :",
    from_tools_choose: "Si plusieurs motifs sont en cours, un outil en choisit un par son nom d’utilisateur auprès du proxy (NOM+recruiting) ou par l’en-tête Wayleave-Purpose.",
    example_statement: "dites ici pourquoi vous en avez besoin",
    contact: |contact| format!("Des questions ? {contact}"),

    sign_in_again_title: "Ouvrez de nouveau votre session",
    sign_in_again: "Cette action demande votre mot de passe : joignez-le à l’appel, par Authorization: Basic, pour le nom sous lequel vous vous identifiez auprès du proxy.",
    wrong_password: "Le mot de passe est inexact, ou c’est celui d’une autre personne que celle qui s’identifie auprès du proxy.",
    no_password: "Cette action demande un mot de passe, et vous n’en avez pas : vous vous identifiez par un certificat. Demandez-en un à l’assistance informatique (`wayleave user add`).",
    request_over_title: "Il n’est plus possible de répondre",
    request_over: answers::over,
    may_not_answer_title: "Vous ne pouvez pas répondre à cette demande",
    may_not_answer: answers::may_not,
    outdated_title: "Cette demande ne peut plus être approuvée",
    outdated: answers::outdated,
    holds_too_many: |held| {
        format!(
            "La personne qui a fait la demande a déjà {} : une même personne ne peut pas en avoir davantage. Elle doit d’abord mettre fin à l’une d’elles.",
            counted(held, "autorisation", "autorisations")
        )
    },
    not_answered_title: "La réponse n’a pas pu être donnée",
    not_answered: "La passerelle ne peut pas conserver la réponse en ce moment : la demande attend toujours. Réessayez dans une minute.",
    reason_title: "Dites pourquoi vous refusez",
    reason_wanted: |most| {
        format!(
            "Rien n’a été refusé : la personne qui a fait la demande lira vos raisons, il en faut donc. Envoyez-les sous la forme {{\"note\": \"…\"}}, en {most}\u{a0}caractères au plus."
        )
    },
    say_why: "dites en quelques mots pourquoi, à la personne qui a fait la demande",
    say_why_here: "Revenez en arrière et dites en quelques mots pourquoi : la personne qui a fait la demande le lira.",
    again_title: "Ouvrez de nouveau votre session",
    again_why: "Votre navigateur s’identifie de lui-même auprès du proxy. Ce qui concerne d’autres personnes, ou dure, demande de nouveau votre mot de passe : répondre à leurs demandes, retirer leurs motifs, confier vos réponses à quelqu’un, créer un jeton. Il vaut pendant 15\u{a0}minutes.",
    user_name: "Nom d’utilisateur",
    password: "Mot de passe",
    sign_in: "Ouvrir la session",
    wrong_password_here: "Le mot de passe est inexact.",
    sign_out: "Fermer la session",
    signed_in_for: "Votre session est ouverte pour répondre aux demandes, pendant 15\u{a0}minutes.",
    inbox: "Demandes qui vous attendent",
    nothing_waits: "Rien ne vous attend.",
    sign_in_to_answer: "Ouvrir la session pour répondre",
    asks_for: |who, purpose| format!("{who} demande « {purpose} »"),
    about_asker: answers::about_asker,
    training_state: |course, end| match end {
        Some(end) => format!("Formation « {course} » : valable jusqu’au {end}"),
        None => format!("Formation « {course} » : non valable"),
    },
    held_before: answers::held_before,
    asked_and_waits: |asked, end| format!("Demandé {} ; attend {}", at(asked), until(end)),
    approve: "Approuver",
    decline_open: "Refuser…",
    decline_why: "Pourquoi ? La personne qui a fait la demande le lira.",
    decline: "Refuser",
    you_approved: |purpose, who, end| match end {
        Some(end) => format!(
            "Vous avez approuvé « {purpose} » pour {who}. L’accès est ouvert {}.",
            until(end)
        ),
        None => format!("Vous avez approuvé « {purpose} » pour {who}. L’accès a pris fin depuis."),
    },
    you_declined: |purpose, who| format!("Vous avez refusé « {purpose} » à {who}, qui voit vos raisons."),

    reason_to_revoke_title: "Dites pourquoi vous retirez le motif",
    reason_to_revoke_wanted: |most| {
        format!(
            "Rien n’a été retiré : la personne concernée lira vos raisons, il en faut donc. POST /v1/revocations les reçoit sous la forme {{\"grant\": \"…\", \"reason\": \"…\"}}, en {most}\u{a0}caractères au plus."
        )
    },
    say_why_you_revoke: "dites en quelques mots pourquoi, à la personne concernée",
    may_not_revoke_title: "Vous ne pouvez pas retirer ce motif",
    may_not_revoke: |reasons| match reasons {
        "" => "Aucune règle ne vous permet d’y mettre fin.".to_owned(),
        reasons => reasons.to_owned(),
    },
    not_revoked_title: "Le retrait n’a pas pu être fait",
    not_revoked: "La passerelle ne peut pas conserver le changement en ce moment : rien n’a été retiré, tout reste en vigueur. Réessayez dans une minute, et prévenez l’assistance informatique si cela dure.",
    revoked_not_recorded_title: "Retiré, mais pas encore enregistré",
    revoked_not_recorded: |grants, tokens, delegations| {
        let parts = [
            (grants, "motif", "motifs"),
            (tokens, "jeton", "jetons"),
            (delegations, "délégation", "délégations"),
        ];
        let parts = parts.into_iter().filter(|(count, ..)| *count > 0);
        let parts: Vec<String> = parts
            .map(|(count, one, several)| counted(count, one, several))
            .collect();
        let what = parts.join(", ");
        format!(
            "Ce que vous avez retiré n’ouvre plus rien ({what}), mais la trace n’en est pas encore sur disque : la passerelle l’écrira dès que possible. Prévenez l’assistance informatique si cela dure."
        )
    },
    was_revoked: |by, when| format!("Retiré par {by} {}.", at(when)),
    my_revoked: "Retirés ces derniers jours",
    see_in_force: "Voir et retirer des motifs en vigueur",
    in_force: "Motifs en vigueur",
    in_force_what: "Ce que les personnes ont obtenu ou demandé, dans la mesure où les règles vous permettent de le retirer. Nommez une personne pour voir les jetons de ses outils, et qui répond à la place de qui.",
    in_force_count: |count| match count {
        0 => "Aucun ne correspond".to_owned(),
        count => counted(count, "motif", "motifs"),
    },
    in_force_here: |count| format!("{} sur cette page", counted(count, "motif", "motifs")),
    nobody_holds: |said, near| {
        let nobody = format!("Personne du nom de «\u{a0}{said}\u{a0}» n’a rien que vous puissiez retirer.");
        match near {
            Some(near) => format!("{nobody} Vouliez-vous dire «\u{a0}{near}\u{a0}»\u{a0}?"),
            None => nobody,
        }
    },
    filter: "Ce qui est affiché",
    filter_any: "Indifférent",
    filter_purpose: "Motif",
    filter_platform: "Plateforme",
    filter_show: "Afficher",
    column_who: "Personne",
    column_where: "Plateformes",
    column_until: "Fin",
    column_statement: "Pourquoi",
    waits_until: |end| format!("attend une réponse {}", until(end)),
    more_follow: "Afficher la suite",
    revoke: "Retirer",
    revoke_many: |count| match count {
        1 => "Le retirer".to_owned(),
        count => format!("Retirer les {}", counted(count, "motif", "motifs")),
    },
    revoke_all: "Tout retirer",
    one_at_a_time_title: "Un seul retrait à la fois",
    one_at_a_time: "La recherche de tout ce qui est en vigueur est déjà en cours pour vous. Rien n’a changé. Réessayez quand elle sera terminée.",
    revoke_title: |what| format!("Retirer {what} ?"),
    revoke_effect: "L’effet est immédiat : la prochaine requête est refusée, et ce qui est encore en cours est coupé.",
    and_more: |count| match count {
        1 => "et 1\u{a0}autre".to_owned(),
        count => format!("et {}", counted(count, "autre", "autres")),
    },
    revoke_why: "Pourquoi ? La personne concernée le lira.",
    revoke_not: "Revenir sans rien retirer",
    sign_in_to_revoke: "Ouvrir la session pour retirer",
    say_why_you_revoke_here: "Revenez en arrière et dites en quelques mots pourquoi : la personne concernée le lira.",
    you_revoked: |count| match count {
        1 => "Vous avez retiré 1\u{a0}motif. Il n’ouvre plus rien.".to_owned(),
        count => format!(
            "Vous avez retiré {}. Ils n’ouvrent plus rien.",
            counted(count, "motif", "motifs")
        ),
    },

    not_known_title: "Nous ne vous connaissons pas encore",
    not_known: |name| {
        format!(
            "Vous avez ouvert la session sous le nom « {name} », mais l’annuaire ne contient pas ce nom. Demandez à l’assistance informatique de l’ajouter."
        )
    },
    link_over_title: "Ce lien n’est plus valable",
    link_over: "Le lien vers un refus ne vaut que peu de temps, et pour la seule personne qui l’a reçu. Ouvrez de nouveau le site, ou retrouvez le refus sur votre page.",
    not_here_title: "Cette page n’existe pas",
    not_here: "L’adresse contient peut-être une faute de frappe.",
    form_over_title: "Veuillez envoyer de nouveau le formulaire",
    form_over: "Le formulaire datait de plus d’une heure, ou ne venait pas de ce portail. Rien n’a changé.",
    out_of_reach_title: "Veuillez réessayer dans une minute",
    out_of_reach: "Ce que les passerelles ont en commun est inaccessible pour le moment : aucun lien ne peut y être retrouvé, ni aucun formulaire accepté. Rien n’a changé.",
    not_kept_title: "Rien n’a été accordé",
    not_kept: "La passerelle ne peut rien enregistrer en ce moment, et n’accorde rien qu’elle ne puisse enregistrer. Réessayez dans une minute.",
    grant_over_title: "C’est déjà terminé",
    grant_over: "Ce motif a été clos ou est arrivé à son terme.",
    may_not_end_title: "Vous ne pouvez pas mettre fin à ce motif",
    not_ended_title: "Il n’a pas été possible d’y mettre fin",
    not_ended: "La passerelle ne peut pas conserver le changement en ce moment : ce motif reste en vigueur. Réessayez dans une minute, et prévenez l’assistance informatique si cela dure.",
    too_large_title: "La requête est trop longue",
    too_large: |most| {
        format!(
            "Un formulaire ou une déclaration contient au plus {} : raccourcissez votre texte.",
            counted(most, "octet", "octets")
        )
    },
    broken_off_title: "La requête est incomplète",
    broken_off: "La connexion a été coupée avant l’arrivée de toute la requête : envoyez-la de nouveau.",
    bad_form_title: "Le formulaire n’a pas pu être lu",
    bad_form: "Revenez en arrière, rechargez la page et envoyez de nouveau.",

    wanted: "Vous vouliez ouvrir",
    what_you_can_do: "Ce que vous pouvez faire",
    technically: "En détail",
    fault: fault::fault,
};
