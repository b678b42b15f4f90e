//! What failed, what that means, and what to do.

use crate::facts::FaultCode;
use crate::portal::words::FaultWords;

#[expect(clippy::too_many_lines, reason = "a table: one entry for each fault")]
pub(super) fn fault(code: FaultCode) -> FaultWords {
    let words = |title, what, advice| FaultWords { title, what, advice };
    match code {
        FaultCode::BadRequest => words(
            "La requête n’a pas pu être comprise",
            "Elle ne respecte pas les règles de HTTP, et la passerelle ne doit pas la transmettre ainsi.",
            "Rechargez la page. Si un outil l’a envoyée, le détail ci-dessous indique ce qui ne va pas.",
        ),
        FaultCode::MethodNotAllowed => words(
            "La passerelle ne transmet pas cette requête",
            "Elle demande ce qui a été ajouté à une requête en chemin, ou interroge la passerelle à la place du site.",
            "Utilisez une autre méthode. Si un outil l’a envoyée, le détail ci-dessous indique ce qui ne va pas.",
        ),
        FaultCode::HeadTooLarge => words(
            "La requête est trop longue",
            "Son adresse ou ses en-têtes dépassent ce que la passerelle accepte. Souvent, c’est à cause d’un trop grand \
             nombre de cookies.",
            "Supprimez les cookies de ce site et réessayez.",
        ),
        FaultCode::ClientTimeout => words(
            "La requête a pris trop de temps",
            "Elle n’est pas arrivée entière à temps.",
            "Vérifiez votre connexion et réessayez.",
        ),
        FaultCode::ClientGone => words(
            "La connexion a été fermée",
            "Elle s’est terminée avant la fin de la réponse.",
            "Réessayez.",
        ),
        FaultCode::ClientTls => words(
            "La connexion sécurisée à la passerelle a échoué",
            "Votre programme ne fait peut-être pas confiance aux certificats de la passerelle.",
            "Installez le certificat de la passerelle : l’assistance informatique vous dira comment, ou lancez wayleave ca \
             install-help.",
        ),
        FaultCode::ClientDistrusts => words(
            "Ce programme ne reconnaît pas l’organisation",
            "Selon les règles, la passerelle lit les échanges avec ce site, et le programme a refusé le certificat fait pour \
             cela.",
            "Installez le certificat racine de l’organisation là où ce programme le cherche, attendez une demi-minute et \
             réessayez. S’il n’accepte que ses propres certificats, ouvrez le site dans un navigateur ou adressez-vous à \
             l’assistance informatique.",
        ),
        FaultCode::Misdirected => words(
            "La requête est arrivée par le mauvais chemin",
            "Sa connexion ne lui convient pas : elle a été ouverte pour un autre site, ou bien votre compte ou les règles ont changé depuis.",
            "Rechargez la page : une nouvelle connexion sera ouverte, et l’on vous demandera peut-être qui vous êtes.",
        ),
        FaultCode::SniMismatch => words(
            "La connexion indique deux sites",
            "Le nom donné à l’ouverture de la connexion sécurisée n’est pas celui qui a été demandé.",
            "Si un outil a ouvert cette connexion, faites-lui utiliser le même nom aux deux endroits.",
        ),
        FaultCode::ProtocolUnreadable => words(
            "Ce type de connexion ne peut pas passer",
            "Ce n’est ni du HTTP ni du TLS, et les règles ne laissent pas passer ce qui n’est pas lu.",
            "Adressez-vous à l’assistance informatique si vous en avez besoin pour votre travail.",
        ),
        FaultCode::NameNotFound => words(
            "Aucun site ne porte ce nom",
            "Le nom est introuvable.",
            "Vérifiez l’orthographe de l’adresse.",
        ),
        FaultCode::ResolveFailed => words(
            "Le nom n’a pas pu être recherché",
            "Aucun serveur de noms n’a répondu à temps, ou trop d’autres noms que vous avez demandés attendent encore une \
             réponse.",
            "Réessayez dans une minute. Si cela dure, prévenez l’assistance informatique.",
        ),
        FaultCode::AddressGuarded => words(
            "Cette adresse n’est pas accessible par la passerelle",
            "Le nom mène à une adresse privée ou locale, que la passerelle n’appelle jamais.",
            "S’il s’agit d’un site interne, ouvrez-le sans le proxy. Sinon, prévenez l’assistance informatique.",
        ),
        FaultCode::ConnectRefused => words(
            "Le site a refusé la connexion",
            "Il a été trouvé, mais rien n’y répond.",
            "Le site est peut-être arrêté. Réessayez plus tard.",
        ),
        FaultCode::ConnectTimeout => words(
            "Le site n’a pas répondu",
            "La connexion n’a pas pu être ouverte à temps.",
            "Le site est peut-être arrêté ou très occupé. Réessayez plus tard.",
        ),
        FaultCode::CertificateExpired => words(
            "Le certificat du site a expiré ou n’est pas encore valable",
            "Le site n’a pas pu prouver son identité. Rien ne lui a été envoyé.",
            "Prévenez les responsables du site. N’y saisissez pas de mot de passe tant que ce n’est pas réparé.",
        ),
        FaultCode::CertificateName => words(
            "Le certificat du site porte un autre nom",
            "Le serveur qui a répondu n’a pas pu prouver qu’il est ce site. Rien ne lui a été envoyé.",
            "Vérifiez l’orthographe de l’adresse. Si elle est juste, quelqu’un s’est peut-être interposé : prévenez \
             l’assistance informatique.",
        ),
        FaultCode::CertificateIssuer => words(
            "Le certificat du site vient d’un émetteur inconnu",
            "Aucun émetteur reconnu ne se porte garant de ce site. Rien ne lui a été envoyé.",
            "S’il s’agit d’un site de votre organisation ou d’un partenaire, demandez à l’assistance informatique de \
             reconnaître son émetteur.",
        ),
        FaultCode::CertificateBad => words(
            "Le certificat du site n’est pas valable",
            "Il a été révoqué, il est abîmé ou il n’a pas été fait pour un site, comme beaucoup de ceux que l’on signe soi-même. Rien n’a été envoyé au site.",
            "N’utilisez pas le site tant que ce n’est pas réparé. Prévenez l’assistance informatique si vous en avez besoin.",
        ),
        FaultCode::OriginTls => words(
            "Pas de connexion sécurisée avec le site",
            "Le site et la passerelle n’ont pas trouvé de langage sécurisé commun. Rien n’a été envoyé au site.",
            "Réessayez plus tard. Si cela dure, prévenez l’assistance informatique.",
        ),
        FaultCode::OriginTimeout => words(
            "Le site a pris trop de temps",
            "Il a accepté la requête mais n’a pas répondu à temps.",
            "Réessayez. Si vous avez envoyé quelque chose, vérifiez d’abord que ce n’est pas arrivé.",
        ),
        FaultCode::OriginGone => words(
            "Le site a coupé la connexion",
            "Il l’a fermée avant la fin de sa réponse.",
            "Réessayez. Si vous avez envoyé quelque chose, vérifiez d’abord que ce n’est pas arrivé.",
        ),
        FaultCode::OriginProtocol => words(
            "La réponse du site est incompréhensible",
            "Ce qu’il a envoyé n’est pas du HTTP valable.",
            "Réessayez plus tard. Si cela dure, prévenez l’assistance informatique.",
        ),
        FaultCode::CoversManagedPlatform => words(
            "Cette connexion ne peut pas passer sans être lue",
            "Le certificat du site couvre aussi une plateforme soumise à des règles : elle pourrait passer par là sans être \
             vue.",
            "Ouvrez la plateforme sous son propre nom.",
        ),
        FaultCode::PermissionEnded => words(
            "Votre autorisation a pris fin pendant l’échange",
            "Un motif est arrivé à son terme ou a été retiré, ou les règles ont changé. Ce qui a été envoyé est peut-être \
             arrivé.",
            "Indiquez votre motif, vérifiez ce qui est arrivé, et envoyez le reste.",
        ),
        FaultCode::ConnectionLimit => words(
            "Trop de connexions",
            "Votre appareil, ou l’ensemble des appareils, a autant de connexions que la passerelle peut en porter.",
            "Fermez ce dont vous n’avez pas besoin et réessayez dans un instant. Si cela dure, prévenez l’assistance \
             informatique.",
        ),
        FaultCode::RecordUnavailable => words(
            "La passerelle ne peut rien enregistrer en ce moment",
            "Ce qui ne peut pas être enregistré ne peut pas passer. Rien n’a été envoyé au site.",
            "Réessayez dans une minute. L’assistance informatique peut voir la cause.",
        ),
        FaultCode::GrantsUnknown => words(
            "La passerelle ne peut pas dire si votre motif vaut encore",
            "Elle n’a pas pu joindre la base des motifs depuis un moment. Rien n’a été envoyé au site.",
            "Réessayez dans une minute. Ce qui ne demande pas de motif fonctionne. L’assistance informatique peut voir la \
             cause.",
        ),
        FaultCode::MintFailed => words(
            "La passerelle n’a pas pu établir de certificat",
            "Sans certificat, elle ne peut pas vous montrer ce site.",
            "Réessayez. Si cela dure, prévenez l’assistance informatique.",
        ),
        FaultCode::Internal => words(
            "Un problème est survenu dans la passerelle",
            "Le problème vient de nous, pas de vous.",
            "Réessayez. Si cela dure, donnez à l’assistance informatique la référence ci-dessous.",
        ),
    }
}
