"""What a site lets run, and recalls."""


class Approvals:
    """The site's approval list on the web server, approving everything until it recalls."""

    def __init__(self, site, publisher, directory):
        self.publisher, self.officer = publisher, site.authority["site-security"]
        self.list = directory / "approvals.yaml"
        self.signed = site.web_root / f"{publisher.name}-approvals.yaml"
        self.url = f"{site.web.url}/{self.signed.name}"
        publisher.index("approvals", "init", "--list", self.list, "--name", "site-approvals")
        publisher.index("approvals", "approve", "--list", self.list, "--all")
        self.publish()

    def publish(self):
        self.publisher.index("sign", self.list, "--certificate", self.officer.certificate, "--key", self.officer.key,
                             "--output", self.signed)

    def recall(self, image_id):
        self.publisher.index("approvals", "recall", "--list", self.list, "--image-id", image_id, "--reason",
                             "a hole in its login")
        self.publish()

    def settings(self):
        return {"policy": "listed",
                "lists": [{"url": self.url, "signed-by": self.officer.name, "refresh": "2s"}]}
