#include "indexer/store/page.hpp"

#include <algorithm>
#include <vector>

#include "common/base/text.hpp"
#include "indexer/store/page_style.hpp"

namespace imageswarm::store {
namespace {

/// "2026-01-10 08:00 UTC"
std::string date(TimePoint time) {
  auto const text = format_time(time);
  return text.substr(0, 10) + " " + text.substr(11, 5) + " UTC";
}

std::string row(std::string_view name, std::string_view value) {
  return value.empty() ? "" : fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", name, html(value));
}

std::string code_row(std::string_view name, std::string_view value) {
  return fmt::format("<tr><th>{}</th><td><code>{}</code></td></tr>\n", name, html(value));
}

std::string fact(std::string_view name, std::string_view value) {
  return value.empty() ? "" : fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, html(value));
}

std::string chips(document::Image const& image) {
  std::vector<std::string> texts{image.os_distro + (image.os_version.empty() ? "" : " " + image.os_version),
                                 image.architecture, image.hypervisor, image.disk_format};
  texts.insert(texts.end(), image.vo_tags.begin(), image.vo_tags.end());
  std::string items;
  for (auto const& text : texts) {
    if (!text.empty()) items += fmt::format("<li>{}</li>", html(text));
  }
  return "<ul class=\"chips\">" + items + "</ul>\n";
}

std::string for_whom(document::Image const& image) {
  std::vector<std::string> parts;
  for (auto const* list : {&image.clusters, &image.subclusters, &image.hosts}) {
    parts.insert(parts.end(), list->begin(), list->end());
  }
  return join(parts, ", ");
}

std::string details(document::Image const& image) {
  auto const& torrent = image.torrent;
  auto const packed = name_of(torrent.compression);
  auto rows =
      code_row("Image ID", image.image_id.text()) + code_row("Family", image.uuid.text()) +
      code_row("SHA-512", image.content_sha512.hex()) + row("Size", fmt::format("{} bytes", image.content_size.value)) +
      row("File in the swarm", fmt::format("{}, {} bytes{}", torrent.content_name, torrent.content_size.value,
                                           packed == "none" ? "" : fmt::format(", {}", packed))) +
      code_row("Its SHA-256", torrent.content_sha256.hex()) + code_row("Info-hash v2", torrent.info_hash_v2.hex());
  if (torrent.info_hash_v1) rows += code_row("Info-hash v1", torrent.info_hash_v1->hex());
  rows += row("Produced", date(image.produced)) + row("Endorsed", date(image.endorsed)) +
          row("On behalf of", image.local_endorser) + row("For", for_whom(image));
  return fmt::format("<details><summary>More digests and details</summary>\n<table>\n{}</table>\n</details>\n", rows);
}

/// "2.77 GB, in the swarm 914 MB (zstd)"
std::string sizes(document::Image const& image) {
  auto const content = human(image.content_size);
  if (image.torrent.compression == document::Compression::none) return content;
  return fmt::format("{}, in the swarm {} ({})", content, human(image.torrent.content_size),
                     name_of(image.torrent.compression));
}

/// A private image is not on this server.
std::string file_link(document::Torrent const& torrent) {
  if (torrent.ssl) return " Private: only hosts with a certificate of the publisher's swarm CA get it.";
  return fmt::format("<a href=\"images/{}\">File</a>", html(torrent.content_name));
}

std::string article(document::Image const& image) {
  auto const expiry = image.expires ? "expires " + date(*image.expires) : "endorsed " + date(image.endorsed);
  return fmt::format(
      R"(<article id="{}">
<header><h3>{}<span class="version">{}</span></h3><span class="soft">{}</span></header>
{}{}<p><a class="button" href="{}">Torrent</a>{} <span class="soft">{}</span></p>
<p class="digest"><span class="soft">SHA-256</span> <code>{}</code></p>
{}</article>
)",
      image.image_id.text(), html(image.name), html(image.version.text), expiry,
      image.description.empty() ? "" : fmt::format("<p>{}</p>\n", html(image.description)), chips(image),
      html(image.torrent.download_url), file_link(image.torrent), sizes(image), image.content_sha256.hex(),
      details(image));
}

std::string articles(document::Catalogue const& catalogue) {
  if (catalogue.images.empty()) return "<p class=\"soft\">There are no images at present.</p>\n";
  auto images = catalogue.images;
  std::sort(images.begin(), images.end(), [](document::Image const& a, document::Image const& b) {
    auto const a_name = lower_case(a.name), b_name = lower_case(b.name);
    return a_name != b_name ? a_name < b_name : a.version > b.version;
  });
  std::string text;
  for (auto const& image : images) text += article(image);
  return text;
}

std::string withdrawn(document::Catalogue const& catalogue) {
  if (catalogue.withdrawn.empty()) return "";
  std::string rows;
  for (auto const& gone : catalogue.withdrawn) {
    rows += fmt::format("<tr><th>{}</th><td><code>{}</code> {}</td></tr>\n", date(gone.at), gone.image_id.text(),
                        html(gone.reason));
  }
  return fmt::format(
      "<h2>Withdrawn</h2>\n<article><p class=\"soft\">Do not use these images any more.</p>\n"
      "<table>\n{}</table></article>\n",
      rows);
}

/// One argument for a POSIX shell.
std::string quoted(std::string_view text) {
  std::string result = "'";
  for (char const c : text) result += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return result + "'";
}

std::string how_to_verify(trust::Signer const& signer) {
  auto const command = fmt::format(
      "imageswarm-index verify catalogue.yaml --anchors /etc/grid-security/certificates \\\n    --subject {} \\\n"
      "    --issuer {}",
      quoted(signer.subject.text()), quoted(signer.issuer.text()));
  constexpr std::string_view by_hand =
      "sed '/^x509-signature:/,$d' catalogue.yaml > body\n"
      "sed '1,/^x509-signature:/d' catalogue.yaml | base64 -di > signature.der\n"
      "openssl cms -verify -binary -inform DER -in signature.der -content body -out /dev/null \\\n"
      "    -CApath /etc/grid-security/certificates -no-CAfile -no-CAstore -crl_check_all\n"
      "openssl pkcs7 -inform DER -in signature.der -print_certs -noout";
  return fmt::format(
      "<h2 id=\"verify\">How to verify</h2>\n"
      "<p>This page is not signed; <a href=\"catalogue.yaml\">catalogue.yaml</a> is. It holds the digest of every "
      "image. "
      "Fetch it and check who signed it:</p>\n<pre>{}</pre>\n"
      "<p>Or with OpenSSL alone:</p>\n<pre>{}</pre>\n"
      "<p>Then compare an image, unpacked, with its SHA-256 in the catalogue:</p>\n<pre>sha256sum IMAGE</pre>\n",
      html(command), html(by_hand));
}

}  // namespace

std::string html(std::string_view text) {
  std::string result;
  for (char const c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string catalogue_page(document::Catalogue const& catalogue, trust::Signer const& signer) {
  auto const& header = catalogue.header;
  auto const& endorser = catalogue.endorser;
  auto const facts = fact("Endorser", endorser.name) + fact("Signed by", signer.subject.text()) +
                     fact("Certificate authority", signer.issuer.text()) + fact("Contact", endorser.contact) +
                     fact("Issued", date(header.issued)) + fact("Valid until", date(header.expires)) +
                     fact("Serial", std::to_string(header.serial));
  return fmt::format(
      R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{0}: virtual machine images</title>
<style>{1}</style>
</head>
<body>
<h1>{0}</h1>
<p class="soft">Virtual machine images that {2} stands behind. <a href="#verify">How to verify</a></p>
<dl class="facts">
{3}</dl>
<h2>Images</h2>
{4}{5}{6}<footer>Made by imageswarm-index {7} from catalogue.yaml serial {8}.</footer>
</body>
</html>
)",
      html(header.name), page_style, html(endorser.name), facts, articles(catalogue), withdrawn(catalogue),
      how_to_verify(signer), IMAGESWARM_VERSION, header.serial);
}

}  // namespace imageswarm::store
