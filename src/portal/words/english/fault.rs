//! What failed, what that means, and what to do.

use crate::facts::FaultCode;
use crate::portal::words::FaultWords;

#[expect(clippy::too_many_lines, reason = "a table: one entry for each fault")]
pub(super) fn fault(code: FaultCode) -> FaultWords {
    let words = |title, what, advice| FaultWords { title, what, advice };
    match code {
        FaultCode::BadRequest => words(
            "The request could not be understood",
            "It breaks the rules of HTTP in a way that a proxy must not pass on.",
            "Reload the page. If a tool sent it, the detail below names what is wrong.",
        ),
        FaultCode::MethodNotAllowed => words(
            "This gateway does not pass this on",
            "It asks for what was added to a request on its way, or asks the gateway in place of the site.",
            "Use another method. If a tool sent it, the detail below names what is wrong.",
        ),
        FaultCode::HeadTooLarge => words(
            "The request is too large",
            "Its address or its header fields are larger than this gateway accepts. Often that is too many cookies.",
            "Delete the cookies of this site and try again.",
        ),
        FaultCode::ClientTimeout => words(
            "The request took too long",
            "It did not arrive completely in time.",
            "Check your connection and try again.",
        ),
        FaultCode::ClientGone => words(
            "The connection was closed",
            "It ended before the answer was complete.",
            "Try again.",
        ),
        FaultCode::ClientTls => words(
            "The secure connection to this gateway failed",
            "Your program may not trust the certificates of this gateway.",
            "Install the certificate of this gateway: your help desk knows how, or run wayleave ca install-help.",
        ),
        FaultCode::ClientDistrusts => words(
            "This program does not trust the company",
            "The rules have this site read on its way, and the program refused the certificate that was made for it.",
            "Install the company's root certificate where this program looks for it, then wait half a minute and try again. If it accepts its own certificates only, use the site in a browser, or ask your help desk.",
        ),
        FaultCode::Misdirected => words(
            "The request came the wrong way",
            "Its connection does not fit it: that was made for another site, or your account or the rules have changed since.",
            "Reload the page: a new connection will be made, and you may be asked who you are.",
        ),
        FaultCode::SniMismatch => words(
            "The connection names two sites",
            "The name in the secure handshake is not the one that was asked for.",
            "If a tool made this connection, let it use the same name in both places.",
        ),
        FaultCode::ProtocolUnreadable => words(
            "This kind of connection may not pass",
            "It is neither HTTP nor TLS, and the rules do not let it pass unread.",
            "Ask your help desk if you need it for your work.",
        ),
        FaultCode::NameNotFound => words(
            "There is no site with this name",
            "The name could not be found.",
            "Check the spelling of the address.",
        ),
        FaultCode::ResolveFailed => words(
            "The name could not be looked up",
            "No name server answered in time, or too many other names that you asked for have no answer yet.",
            "Try again in a minute. If it lasts, tell your help desk.",
        ),
        FaultCode::AddressGuarded => words(
            "This address is not reachable through the gateway",
            "The name leads to a private or local address, which this gateway never dials.",
            "If it is an internal site, open it without the proxy. Otherwise tell your help desk.",
        ),
        FaultCode::ConnectRefused => words(
            "The site refused the connection",
            "It was found, but nothing answers there.",
            "The site may be down. Try again later.",
        ),
        FaultCode::ConnectTimeout => words(
            "The site did not answer",
            "No connection could be made in time.",
            "The site may be down or busy. Try again later.",
        ),
        FaultCode::CertificateExpired => words(
            "The site’s certificate has expired or is not valid yet",
            "The site could not prove that it is what it says it is. Nothing was sent to it.",
            "Tell the site’s owner. Do not enter passwords there until it is repaired.",
        ),
        FaultCode::CertificateName => words(
            "The site’s certificate is for another name",
            "Whoever answered could not prove to be this site. Nothing was sent to it.",
            "Check the spelling of the address. If it is right, somebody may be in between: tell your help desk.",
        ),
        FaultCode::CertificateIssuer => words(
            "The site’s certificate comes from an unknown issuer",
            "Nobody whom we trust vouches for this site. Nothing was sent to it.",
            "If it is a site of your organisation or a partner, ask your help desk to trust its issuer.",
        ),
        FaultCode::CertificateBad => words(
            "The site’s certificate is not valid",
            "It was revoked, it is broken, or it was not made for a site, like many that people sign for themselves. Nothing was sent to the site.",
            "Do not use the site until it is repaired. Tell your help desk if you need it.",
        ),
        FaultCode::OriginTls => words(
            "No secure connection to the site",
            "The site and this gateway could not agree on how to talk securely. Nothing was sent to it.",
            "Try again later. If it lasts, tell your help desk.",
        ),
        FaultCode::OriginTimeout => words(
            "The site took too long",
            "It accepted the request but did not answer in time.",
            "Try again. If you sent something, check first whether it arrived.",
        ),
        FaultCode::OriginGone => words(
            "The site broke off",
            "It closed the connection before its answer was complete.",
            "Try again. If you sent something, check first whether it arrived.",
        ),
        FaultCode::OriginProtocol => words(
            "The site’s answer makes no sense",
            "What it sent is not valid HTTP.",
            "Try again later. If it lasts, tell your help desk.",
        ),
        FaultCode::CoversManagedPlatform => words(
            "This connection may not pass unread",
            "The site’s certificate also covers a managed platform, so it could carry that platform unseen.",
            "Open the platform under its own name.",
        ),
        FaultCode::PermissionEnded => words(
            "Your permission ended while this was on its way",
            "A purpose has run out or was ended, or the rules have changed. What was sent so far may have arrived.",
            "State your purpose, check what arrived, and send the rest again.",
        ),
        FaultCode::GrantsUnknown => words(
            "The gateway cannot tell whether your purpose still counts",
            "It has not reached the database of purposes for a while. Nothing was sent to the site.",
            "Try again in a minute. What needs no purpose works. Your help desk is able to see the cause.",
        ),
        FaultCode::ConnectionLimit => words(
            "Too many connections",
            "Your device, or everybody together, has as many connections through this gateway as it carries.",
            "Close what you do not need, and try again in a moment. If it lasts, tell your help desk.",
        ),
        FaultCode::RecordUnavailable => words(
            "The gateway cannot keep records right now",
            "What cannot be recorded may not pass. Nothing was sent to the site.",
            "Try again in a minute. Your help desk is able to see the cause.",
        ),
        FaultCode::MintFailed => words(
            "The gateway could not make a certificate",
            "Without one it cannot show you this site.",
            "Try again. If it lasts, tell your help desk.",
        ),
        FaultCode::Internal => words(
            "Something in the gateway went wrong",
            "That is our fault, not yours.",
            "Try again. If it lasts, give your help desk the reference below.",
        ),
    }
}
