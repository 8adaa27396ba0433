"""docs/nginx.conf and the process for messages alone: who answers them while it is there, and while it is not."""

import time
from pathlib import Path

from db.embedded.home import Home
from tests.scaling.servers import Server, nginx
from tests.scaling.together import post_message
from tests.support.portal import hook_server
from tests.support.ports import free_port


def test_messages_go_to_a_process_of_their_own_and_to_the_others_while_it_is_away(
    servers: tuple[Server, Home], tmp_path: Path
) -> None:
    others = (free_port(), free_port())
    url = servers[0].url
    tmp_path.chmod(0o711)
    with nginx(others, tmp_path) as proxy, hook_server(url, others[0], tmp_path / "pages.log"):
        assert post_message(proxy) == (404, str(others[0]))
        with hook_server(url, proxy.hooks_port, tmp_path / "hooks.log"):
            deadline = time.monotonic() + 20  # nginx tries a process that was away again after five seconds
            while (answered := post_message(proxy)) != (404, str(proxy.hooks_port)):
                assert answered[0] == 404 and time.monotonic() < deadline, answered
                time.sleep(0.2)
        assert post_message(proxy) == (404, str(others[0]))
