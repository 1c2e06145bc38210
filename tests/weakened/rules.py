"""One rule of the trusted code taken out each: what to change, and where it must be noticed.

`changes` are (file, exact old text, new text); `kinds` are kinds of tests/attacks or names of unit test programs.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Weakened:
    name: str
    kinds: tuple
    changes: tuple


def rule(name, kinds, *changes):
    return Weakened(name, tuple(kinds.split()), changes)


SIGNATURE = "common/trust/signature.cpp"
FORM = "common/trust/cms_form.cpp"
ANCHORS = "common/trust/anchors.cpp"
OPENSSL = "common/trust/openssl.cpp"
VERIFY = "common/trust/verify.cpp"
ACCEPTANCE = "common/trust/acceptance.cpp"
ENVELOPE = "common/trust/envelope.cpp"
IMAGE_ENTRY = "common/document/image.cpp"
GLANCE_PROPERTY = "common/document/glance_property.cpp"
PARSE = "common/yaml/parse.cpp"
GATE = "common/torrent/gate.cpp"
SWARM_CA = "common/trust/swarm_ca.cpp"
QCOW2 = "common/image/qcow2.cpp"
CLIENT = "common/http/client.cpp"
SELECT = "daemon/selection/select.cpp"
STATE = "daemon/state/state.cpp"

RULES = [
    rule("enclosed CRLs count (no CMS_NOCRL)", "document identity", (SIGNATURE, "CMS_BINARY | CMS_NOCRL) != 1", "CMS_BINARY) != 1")),
    rule("CRLs of the leaf's CA alone (no CRL_CHECK_ALL)", "identity",
         (ANCHORS, "X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL", "X509_V_FLAG_CRL_CHECK")),
    rule("a missing CRL is passed over", "identity",
         (ANCHORS, "judge->crl == Requirement::if_present) {", "true) {")),
    rule("certificates of any strength (auth level 0)", "identity",
         (ANCHORS, "constexpr int security_level = 2;", "constexpr int security_level = 0;")),
    rule("certificates for any purpose", "identity",
         (ANCHORS, "X509_VERIFY_PARAM_set_depth(rules, max_depth);",
          "X509_VERIFY_PARAM_set_depth(rules, max_depth);\n  X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_ANY);")),
    rule("chains of any length", "identity", (ANCHORS, "constexpr int max_depth = 4;", "constexpr int max_depth = 100;")),
    rule("CAs sign whom they like (no namespaces)", "unit_trust",
         (SIGNATURE, "if (auto const permitted = check_namespaces(chain, anchors); !permitted)",
          "if (auto const permitted = check_namespaces(chain, anchors); false)")),
    rule("keys on any curve", "identity",
         (OPENSSL, "if (name == SN_X9_62_prime256v1 || name == SN_secp384r1) return {};", "return {};")),
    rule("the first certificate of the bag is the signer", "document",
         (SIGNATURE, "auto* signers = CMS_get0_signers(cms);",
          "auto* signers = CMS_get1_certs(cms);\n  while (sk_X509_num(signers) > 1) sk_X509_pop(signers);")),
    rule("signed attributes are not demanded", "document",
         (FORM, "if (!signer.next_is(context0)) return fail(Fault::sig_invalid, \"the signature has no signed attributes\");\n"
          "  signer.take(context0);", "if (signer.next_is(context0)) signer.take(context0);"),
         (SIGNATURE, "auto const signing_time = check_attributes(info);",
          "auto const signing_time =\n"
          "      CMS_signed_get_attr_count(info) > 0 ? check_attributes(info) : Result<TimePoint>{now};")),
    rule("what the attributes say is not looked at", "document",
         (SIGNATURE, "if (!type || ASN1_TYPE_get(type) != V_ASN1_OBJECT", "if (false && ASN1_TYPE_get(type) != V_ASN1_OBJECT"),
         (SIGNATURE, "|| !digest ||\n      ASN1_TYPE_get(digest)", "||\n      !time || ASN1_TYPE_get(digest)")),
    rule("encodings other than DER", "document", (SIGNATURE, "if (!is_canonical(cms.get(), *form)) {", "if (false) {")),
    rule("lengths other than DER's", "document",
         (FORM, "header + static_cast<std::size_t>(length) == static_cast<std::size_t>(shortest)", "shortest != 0")),
    rule("SHA-1 as the document's digest", "document",
         (SIGNATURE, "if (digest_id != NID_sha256 &&", "if (digest_id != NID_sha1 && digest_id != NID_sha256 &&")),
    rule("the algorithm need not fit its digest", "document",
         (SIGNATURE, "if (!agrees || (parameters", "if (false && (parameters")),
    rule("the CN alone is compared", "identity",
         (VERIFY, "return each.matches(signer);", "return each.subject.parts().back() == signer.subject.parts().back();")),
    rule("names are compared without case", "identity",
         (VERIFY, "return each.matches(signer);",
          "return lower_case(each.subject.text()) == lower_case(signer.subject.text());")),
    rule("a part of the name is enough", "identity",
         (VERIFY, "return each.matches(signer);",
          "return signer.subject.text().find(each.subject.text()) != std::string::npos;")),
    rule("the issuer is not compared", "identity",
         (VERIFY, "return each.matches(signer);", "return each.subject == signer.subject;")),
    rule("names end at a NUL", "identity",
         (OPENSSL, "std::string value{reinterpret_cast<char const*>(utf8), static_cast<std::size_t>(size)};",
          "std::string value{reinterpret_cast<char const*>(utf8)};")),
    rule("two values in one part of a name", "identity",
         (OPENSSL, "if (X509_NAME_ENTRY_set(entry) == previous_set) return", "if (false) return")),
    rule("no serial floor", "state",
         (ACCEPTANCE, "if (document.serial < accepted.serial) {", "if (document.serial < accepted.serial) return {};\n  if (false) {"),
         (STATE, "if (floor.serial < serial) {", "if (false) {")),
    rule("no equivocation", "state",
         (ACCEPTANCE, "if (document.serial == accepted.serial && document.digest != accepted.digest) {", "if (false) {"),
         (STATE, "if (floor.serial == serial && floor.digest.hex() != row.text(1)) {", "if (false) {")),
    rule("serials may jump", "state",
         (ACCEPTANCE, "if (document.serial - accepted.serial > max_serial_jump) {", "if (false) {")),
    rule("old epochs come back", "state", (ACCEPTANCE, "if (document.epoch < accepted.epoch) {", "if (false) {")),
    rule("no time floor", "state",
         (ACCEPTANCE, "if (time.now >= time.floor - clock_tolerance) return {};", "return {};")),
    rule("documents do not expire", "document state",
         (ACCEPTANCE, "if (header.expires <= now) return", "if (false) return")),
    rule("documents hold for ever", "document",
         (ACCEPTANCE, "if (header.expires - header.issued > max_lifetime) {", "if (false) {")),
    rule("the document's name is not compared", "document state",
         (ACCEPTANCE, "if (expected.name && header.name != *expected.name) {", "if (false) {")),
    rule("one kind serves as another", "document",
         ("common/document/header.cpp", "if (kind != name_of(expected)) {", "if (false) {")),
    rule("bytes behind the signature", "document", (ENVELOPE, "if (ended) return fail(", "if (false) return fail(")),
    rule("image IDs are believed", "document",
         (IMAGE_ENTRY, "if (fields.outcome() && image.image_id != demanded) {", "if (false) {")),
    rule("catalogues set reserved properties", "document",
         (GLANCE_PROPERTY, "if (reserved) return fail(", "if (false) return fail(")),
    rule("anchors in YAML", "yaml document",
         (PARSE, "if (anchor != 0 || byte_at(mark) == '&') refuse(", "if (false) refuse(")),
    rule("duplicate keys in YAML", "yaml document", (PARSE, "refuse_duplicates();\n    close();", "close();")),
    rule("any depth of YAML", "yaml", (PARSE, "if (open_.size() >= limits_.depth) {", "if (false) {")),
    rule("quotation marks that are not closed", "yaml unit_yaml", (PARSE, "if (!is_closed(mark)) refuse(", "if (false) refuse(")),
    rule("no SHA-256 of the torrent file", "torrent", (GATE, "if (digest != promised.file_sha256) {", "if (false) {")),
    rule("the torrent's own trackers are kept", "torrent",
         (GATE, "return fmt::format(\"d4:info{}12:piece layers{}e\", decoded.find(\"info\")->raw, decoded.find(\"piece layers\")->raw);",
          "return std::string{decoded.raw};")),
    rule("attributes of torrents that nobody knows", "torrent", (GATE, "if (!known.contains(key) && !(promised.ssl && key == swarm_ca_key)) {", "if (false) {")),
    rule("a swarm's CA in any form", "torrent", (GATE, "if (ca->pem() == *pem) return {};", "return {};")),
    rule("a prefix of an image's name opens its swarm", "unit_trust",
         (SWARM_CA, "if (text == wanted || text == \"*\") return true;", "if (wanted.starts_with(text) || text == \"*\") return true;")),
    rule("certificates of any CA open a swarm", "unit_trust",
         (SWARM_CA, "bool const good = X509_verify_cert(verification.get()) == 1;", "bool const good = true;")),
    rule("bytes behind the torrent", "torrent",
         ("common/torrent/bencode.cpp", "if (root && at_ != bytes_.size()) return", "if (false) return")),
    rule("piece layers are believed", "torrent",
         (GATE, "if (root_of_layer(std::move(hashes), promised.piece_length) != file.root) {", "if (false) {")),
    rule("backing files", "image", (QCOW2, "if (header->backing_file_offset != 0) {", "if (false) {")),
    rule("data files by the bit", "image", (QCOW2, "if (header.incompatible & data_file || header.autoclear & raw_data_file) {", "if (false) {")),
    rule("data files by name", "image", (QCOW2, "if (type == data_file_name) return", "if (false) return")),
    rule("content without end", "archive",
         ("common/image/content.cpp", "if (*beyond > 0) return", "if (false) return"),
         ("common/image/inspector_process.cpp", "if (moved > promised) return", "if (false) return")),
    rule("bytes behind packed content", "archive",
         ("common/image/decompress.cpp", "if (ended_ || codec_.continues(*rest)) return {};", "ended_ = true;\n    return {};")),
    rule("redirects without end", "http", (CLIENT, "constexpr int max_redirects = 3;", "constexpr int max_redirects = 30;")),
    rule("redirects to any host", "http", (CLIENT, "if (before->host != after->host) {", "if (false) {")),
    rule("encodings that nobody asked for", "http",
         (CLIENT, "if (name == \"content-encoding\" && lower_case(value) != \"identity\") {", "if (false) {")),
    rule("headers without end", "http", (CLIENT, "if (header_bytes > max_headers) {", "if (false) {")),
    rule("bodies without end", "http", (CLIENT, "if (received > request.most) {", "if (false) {")),
    rule("a recall does not win", "unit_selection",
         (SELECT, "if (recalled(decision)) return Verdict::recalled;", "if (false) return Verdict::recalled;")),
]
