#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "common/document/model.hpp"
#include "common/trust/verify.hpp"
#include "daemon/flow/event.hpp"

namespace imageswarm::flow {

// The daemon's configuration as plain values (docs/operations.md; config/imageswarmd.yaml is the commented example).
// What a member is called in the file is its name with '-' for '_'; defaults here are the defaults of the file.

struct HostSettings {
  std::string name;  ///< found out where left out: the fully qualified host name
  std::string cluster, subcluster;
  std::string architecture;  ///< found out: uname's machine
  std::string hypervisor = "kvm";
};

struct TrustSettings {
  std::filesystem::path anchors = "/etc/grid-security/certificates";
  trust::Requirement crl = trust::Requirement::require;
  trust::Requirement namespaces = trust::Requirement::if_present;
  unsigned mass_withdrawal_percent = 50;
};

struct SubscriptionSettings {
  std::string url;  ///< http(s), file:// or a local path
  document::Kind kind = document::Kind::catalogue;
  std::vector<trust::SignerPattern> signers;  ///< `endorsers` of a catalogue, `signed-by` of a list
  std::optional<std::string> document;
  std::uint64_t epoch = 1;
  std::chrono::seconds refresh{15 * 60};
  bool operator==(SubscriptionSettings const&) const = default;
};

enum class ApprovalPolicy : std::uint8_t { all, listed };

/// What this host shows to the peers of private images.
struct SslSettings {
  std::filesystem::path certificate, key;  ///< PEM
  bool operator==(SslSettings const&) const = default;
};

/// What a host may take and give in a second; `imageswarmctl limit` changes them at run time.
struct HostRates {
  Rate download_rate, upload_rate;          ///< in all
  Rate far_download_rate, far_upload_rate;  ///< of it, from and to hosts outside the site
  bool operator==(HostRates const&) const = default;
};

struct SwarmSettings : HostRates {
  std::string listen = "0.0.0.0:6881";
  std::vector<SslSettings> ssl;   ///< one for each group of hosts that this one is in; none: no private images
  std::uint16_t ssl_port = 6882;  ///< for their TLS connections, at the address of `listen`
  unsigned upload_peers = 8;      ///< per image, while downloading
  unsigned seed_peers = 10;       ///< per image, while seeding
  bool dht = true;
  bool peer_exchange = true;
  bool local_discovery = false;
  std::vector<std::string> trackers;    ///< beside those of the catalogue
  std::vector<std::string> networks;    ///< CIDR; peers elsewhere are refused; empty = any
  std::vector<std::string> site;        ///< CIDR; peers elsewhere are far; empty = nobody is
  std::optional<unsigned> far_copies;   ///< of an image that come into the site, by all its hosts together
  std::vector<std::string> dht_nodes;   ///< HOST:PORT where DHT starts; never public routers
  bool documents = true;                ///< catalogues, lists and torrent files travel between hosts, too
  std::vector<std::string> neighbours;  ///< ADDRESS:PORT of hosts that are asked beside those that are found
};

struct StoreSettings {
  std::filesystem::path directory = "/var/lib/imageswarm";
  std::vector<std::filesystem::path> seed_from;
  std::optional<ByteCount> size;  ///< budget
};

/// What Glance images are signed with, for Nova.
struct SignatureSettings {
  std::filesystem::path key;     ///< PEM, EC P-384 or P-521
  std::string certificate_uuid;  ///< of the certificate, in the cloud's key manager
};

struct SinkSettings {
  std::string type;   ///< "glance", "nova-cache", "directory" or "volume"
  std::string name;   ///< how it is called in status; found out: the cloud or the path
  unsigned keep = 2;  ///< versions of a family that it has
  // glance
  std::string cloud;
  std::filesystem::path clouds_file = "/etc/imageswarm/clouds.yaml";
  std::string visibility = "private";
  std::vector<std::string> members;               ///< IDs of the projects that `shared` images are shared with
  std::vector<std::string> tags;                  ///< beside those of the entry
  std::map<std::string, std::string> properties;  ///< win over those of the entry; empty = none of this name
  bool protect = false;                           ///< `protected`: nobody deletes an image that is in use
  std::optional<std::chrono::seconds> remove_superseded_after;  ///< none: never
  std::optional<SignatureSettings> signature;
  std::vector<std::string> stores;  ///< of Glance, by ID: uploaded into the first, copied by Glance to the others
  // nova-cache
  std::filesystem::path directory = "/var/lib/nova/instances/_base";
  std::string group = "nova";                   ///< that the files have; a name or a number
  std::chrono::seconds manager_interval{2400};  ///< Nova's [image_cache] manager_interval
  // directory
  std::filesystem::path path;
  // volume
  std::string device;  ///< path with {words}: device_path
};

/// A program that is told what happens to images.
struct HookSettings {
  std::vector<EventKind> events;  ///< empty = all
  std::vector<std::string> run;   ///< the program, by its absolute path, and its arguments
  std::chrono::seconds timeout{60};

  /// How it is called in status and in the log, and what it is known by from one start to the next.
  std::string name() const { return join(run, " "); }
};

/// Each has a thread of its own, so that a program that hangs holds up no other.
inline constexpr std::size_t max_hooks = 8;

struct ControlSettings {
  std::filesystem::path socket = "/run/imageswarm/imageswarmd.sock";
  std::string metrics = "127.0.0.1:9464";  ///< empty = none
};

struct Settings {
  HostSettings host;
  TrustSettings trust;
  std::vector<SubscriptionSettings> subscriptions;  ///< catalogues, endorser lists, approval lists
  ApprovalPolicy approvals = ApprovalPolicy::listed;
  std::vector<document::Rule> select;  ///< alternatives; empty = all
  SwarmSettings swarm;
  StoreSettings store;
  std::vector<SinkSettings> sinks;
  std::vector<HookSettings> hooks;
  ControlSettings control;
  std::filesystem::path grids = "/etc/imageswarm/grids";  ///< what `imageswarmctl deploy` reads
};

}  // namespace imageswarm::flow
