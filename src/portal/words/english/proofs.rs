//! Proofs of who somebody is, in English.

use crate::portal::words::ProofWords;

pub(super) const PROOFS: ProofWords = ProofWords {
    sign_in_title: "Sign in to go on",
    sign_in_what: "This gateway needs to know who you are before it opens the way.",
    sign_in_advice: "Enter your user name and password when the browser asks for them. In a tool, set them in its proxy settings. A client certificate works on the TLS port.",
    wait_title: "Too many wrong passwords",
    wait_what: "Too many wrong passwords came from this address, for this user or altogether, so none is looked at for five minutes.",
    wait_advice: "Wait, then sign in with the right one. Somewhere else, and where you are signed in already, nothing has changed. If it was not you, tell your help desk.",
    busy_title: "Signing in is not possible right now",
    busy_what: "Your password could not be checked: too many are being checked, yours from here or others', or the gateway has no memory left for it.",
    busy_advice: "Try again in a moment. If it lasts, tell your help desk.",
    tls_door_title: "Sign in on the encrypted way",
    tls_door_what: "Nobody can sign in on the way that you came: a password in clear could be read by others.",
    tls_door_advice: "Use the gateway's TLS port, with your password or your client certificate: `HTTPS host:port` in a PAC file, `https://host:port` as the proxy of a tool.",
    another_title: "This name is not on your certificate",
    another_what: "Your client certificate names one person, and the user name beside it another, so the way stays closed.",
    another_advice: "Send the name on the certificate, with a purpose behind it where you select one (`NAME+PURPOSE`), or no name at all.",
};
