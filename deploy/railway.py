"""One bot with SQLite on a volume, at Railway: `railway config apply --file deploy/railway.py`.

Railway's SDK evaluates this file (`pip install railway-sdk`). Nothing here is secret: `preserve` keeps the
value that a variable has at Railway. Name each setting that you use: what is not named here is deleted there.
"""

from railway_sdk import Project, define_railway, preserve, project, service, volume

SET_AT_RAILWAY = ("TELEGRAM_BOT_TOKEN", "ADMIN_USERS", "JIEKOU_API_KEY")


@define_railway
def main(ctx: object = None) -> Project:
    """Return the project: a service that `railway up` builds from the checkout, and its volume."""
    data = volume("data", sizeMB=3000)
    bot = service(
        "dreamreel",
        build={"builder": "DOCKERFILE", "dockerfilePath": "Dockerfile"},
        replicas=1,  # SQLite is for one process
        # Asked until a deployment is live, and never again.
        healthcheck="/healthz",
        healthcheckTimeout=120,
        deploy={
            "restartPolicyType": "ALWAYS",
            # Longer than the 60 s that a submit in flight may take: it is worth money.
            "drainingSeconds": 75,
            "overlapSeconds": 0,
            "requiredMountPath": "/data",
        },
        volumeMounts={"/data": data},
        env={
            **{name: preserve() for name in SET_AT_RAILWAY},
            "DATA_DIR": "/data",
            "DATABASE_URL": "sqlite:////data/dreamreel.db",
            "LISTEN_HOST": "0.0.0.0",  # noqa: S104 -- inside its container
            "LISTEN_PORT": "8080",
            "PORT": "8080",  # where Railway asks for the health
            "PRIVATE_PORT": "off",  # the operator's page cannot be reached there
            "RAILWAY_RUN_UID": "0",  # its volumes belong to root
        },
    )
    return project("dreamreel", resources=[data, bot])
