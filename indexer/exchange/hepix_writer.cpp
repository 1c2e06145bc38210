#include "indexer/exchange/hepix_writer.hpp"

#include <nlohmann/json.hpp>

#include "common/trust/slash_name.hpp"

namespace imageswarm::exchange {
namespace {

using nlohmann::ordered_json;

/// RFC 4122's own namespace for names that are URLs.
Uuid uuid_of_url(std::string_view url) {
  static auto const name_space = *Uuid::parse("6ba7b811-9dad-11d1-80b4-00c04fd430c8");
  return Uuid::named(name_space, url);
}

std::string operating_system(document::Image const& image) {
  return image.os_distro == "windows" ? "Windows" : "Linux";
}

ordered_json image_json(document::Image const& image, HepixHead const& head) {
  ordered_json json{
      {"dc:identifier", image.uuid.text()},
      {"dc:title", image.name},
      {"dc:description", image.description},
      {"dc:date:expires", format_time(image.expires.value_or(head.expires))},
      {"hv:uri", head.base_url + "images/" + image.torrent.content_name},
      {"hv:size", image.content_size.value},
      {"hv:version", image.version.text},
      {"hv:hypervisor", image.hypervisor},
      {"hv:format", image.container_format == "ova" ? "OVA" : image.disk_format},
      {"sl:checksum:sha512", image.content_sha512.hex()},
      {"sl:arch", image.architecture},
      {"sl:os", operating_system(image)},
      {"sl:osname", image.os_distro},
      {"sl:osversion", image.os_version},
      {"sl:comments", ""},
      {"ad:group", head.title},
      {"ad:mpuri", fmt::format("{}catalogue.html#{}:{}/", head.base_url, image.uuid.text(), image.version.text)},
      {"ad:user:fullname", head.endorser},
      {"ad:user:guid", uuid_of_url(head.base_url).text()},
      {"ad:user:uri", head.base_url + "catalogue.html"}};
  if (image.min_ram_mib) json["hv:ram_minimum"] = *image.min_ram_mib;
  return {{"hv:image", std::move(json)}};
}

}  // namespace

std::string write_hepix(HepixHead const& head, std::vector<document::Image> const& images) {
  auto const url = head.base_url + head.file_name;
  ordered_json list{{"dc:identifier", uuid_of_url(url).text()},
                    {"dc:title", head.title},
                    {"dc:description", "Images that " + head.endorser + " endorses"},
                    {"dc:source", head.base_url},
                    {"dc:date:created", format_time(head.created)},
                    {"dc:date:expires", format_time(head.expires)},
                    {"hv:version", std::to_string(head.created.time_since_epoch().count())},
                    {"hv:uri", url},
                    {"hv:endorser",
                     {{"hv:x509",
                       {{"dc:creator", head.endorser},
                        {"hv:dn", trust::slash_text(head.signer.subject)},
                        {"hv:ca", trust::slash_text(head.signer.issuer)},
                        {"hv:email", head.contact}}}}},
                    {"hv:images", ordered_json::array()}};
  for (auto const& image : images) list["hv:images"].push_back(image_json(image, head));
  constexpr bool ascii = true;
  return ordered_json{{"hv:imagelist", std::move(list)}}.dump(1, ' ', ascii) + "\n";
}

}  // namespace imageswarm::exchange
