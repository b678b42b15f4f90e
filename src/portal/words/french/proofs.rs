//! Proofs of who somebody is, in French.

use crate::portal::words::ProofWords;

pub(super) const PROOFS: ProofWords = ProofWords {
    sign_in_title: "Ouvrez une session pour continuer",
    sign_in_what: "La passerelle doit savoir qui vous êtes avant d’ouvrir la voie.",
    sign_in_advice: "Saisissez votre nom d’utilisateur et votre mot de passe quand le navigateur les demande. Dans un outil, indiquez-les dans les réglages du proxy. Un certificat convient sur le port TLS.",
    wait_title: "Trop de mots de passe inexacts",
    wait_what: "Trop de mots de passe inexacts sont venus de cette adresse, pour ce nom ou au total : aucun n’est examiné pendant cinq minutes.",
    wait_advice: "Attendez, puis ouvrez la session avec le bon mot de passe. Ailleurs, et là où votre session est déjà ouverte, rien n’a changé. Si ce n’était pas vous, prévenez l’assistance informatique.",
    busy_title: "Il n’est pas possible d’ouvrir une session en ce moment",
    busy_what: "Votre mot de passe n’a pas pu être vérifié : trop de mots de passe sont en cours de vérification, les vôtres d’ici ou ceux d’autres personnes, ou la passerelle n’a plus assez de mémoire.",
    busy_advice: "Réessayez dans un instant. Si cela dure, prévenez l’assistance informatique.",
    tls_door_title: "Ouvrez la session par la voie chiffrée",
    tls_door_what: "Il n’est pas possible d’ouvrir une session par la voie que vous avez prise : d’autres pourraient y lire le mot de passe.",
    tls_door_advice: "Utilisez le port TLS de la passerelle, avec votre mot de passe ou votre certificat : `HTTPS host:port` dans un fichier PAC, `https://host:port` comme proxy d’un outil.",
    another_title: "Ce nom n’est pas celui de votre certificat",
    another_what: "Votre certificat désigne une personne, et le nom d’utilisateur qui l’accompagne en désigne une autre : la voie reste fermée.",
    another_advice: "Envoyez le nom inscrit dans le certificat, suivi si besoin du motif choisi (`NOM+MOTIF`), ou aucun nom.",
};
